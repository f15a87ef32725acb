"""croissant.json: a release in Croissant 1.1, with its provenance in PROV, made from the manifest."""

from typing import Any

from cards.description import describe_rows
from cards.licences import licence_url, row_licences, text_sources
from cards.manifest_types import Feature, Manifest, SourceEntry, Split

SPEC = "http://mlcommons.org/croissant/1.1"
CONTEXT: dict[str, Any] = {  # of the specification, as far as is used here and its validator expects
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(manifest: Manifest) -> dict[str, Any]:
    """Return croissant.json: files with their SHA-256, a record set a config and split, sources and the parent."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": SPEC,
        "name": manifest["name"],
        "description": f"{manifest['title']}: {describe_rows(manifest)}",
        "version": manifest["version"].removeprefix("v"),
        "license": [licence_url(name) for name in row_licences(manifest)],
        "inLanguage": sorted({"en", *manifest["langs"]}),
        "citeAs": "arXiv:2308.04948, arXiv:2308.14186",
        "url": "https://arxiv.org/abs/2308.04948",
        "prov:wasDerivedFrom": [*(_source(source) for source in text_sources(manifest)), *_parent(manifest)],
        "prov:wasGeneratedBy": _activity(manifest),
        "distribution": [part for split in _splits(manifest) for part in _files(*split)],
        "recordSet": [_records(manifest, *split) for split in _splits(manifest)],
    }


def _splits(manifest: Manifest) -> list[tuple[str, str, Split]]:
    """Return the splits of a release: config, name, entry."""
    configs = manifest["configs"].items()
    return [(config, name, split) for config, entry in configs for name, split in entry["splits"].items()]


def _source(source: SourceEntry) -> dict[str, Any]:
    """Return one upstream file as an entity that the release was derived from."""
    return {
        "@type": "prov:Entity",
        "@id": f"source/{source['corpus']}/{source['lang']}",
        "prov:label": f"{source['title']} {source['version']} ({source['lang']})",
        "prov:atLocation": source["url"],
        "sha256": source["sha256"],
        "license": licence_url(source["licence"]),
    }


def _parent(manifest: Manifest) -> list[dict[str, Any]]:
    if not (parent := manifest["parent"]):
        return []
    return [
        {"@type": "prov:Entity", "@id": f"{manifest['name']}@{parent['version']}", "sha256": parent["manifest_sha256"]}
    ]


def _activity(manifest: Manifest) -> dict[str, Any]:
    """Return what was done: the recipe and its filters, and the program."""
    rules = ", ".join(rule["name"] for rule in manifest["filters"])
    return {
        "@type": "prov:Activity",
        "@id": f"build/{manifest['name']}",
        "prov:label": f"recipe {manifest['recipe'].get('name', manifest['name'])}"
        + (f"; filters: {rules}" if rules else ""),
        "prov:wasAssociatedWith": {
            "@type": "prov:SoftwareAgent",
            "@id": "coit-builders",
            "prov:label": "coit-builders",
        },
    }


def _files(config: str, name: str, split: Split) -> list[dict[str, Any]]:
    """Return the files of a split, each with its digest, and of several the set that they make."""
    files = [
        {
            "@type": "cr:FileObject",
            "@id": file["path"],
            "name": file["path"],
            "contentUrl": file["path"],
            "contentSize": f"{file['size']} B",
            "encodingFormat": "application/x-parquet",
            "sha256": file["sha256"],
        }
        for file in split["files"]
    ]
    if len(files) == 1:
        return files
    together = {"@type": "cr:FileSet", "@id": f"files/{config}/{name}", "name": f"{config} {name}"}
    pattern = f"data/{config}/{name}-*.parquet"
    return [*files, together | {"encodingFormat": "application/x-parquet", "includes": pattern}]


def _records(manifest: Manifest, config: str, name: str, split: Split) -> dict[str, Any]:
    """Return the rows of a split, with a field a column."""
    files = split["files"]
    source = {"fileObject": {"@id": files[0]["path"]}}
    if len(files) > 1:
        source = {"fileSet": {"@id": f"files/{config}/{name}"}}
    return {
        "@type": "cr:RecordSet",
        "@id": f"{config}/{name}",
        "name": f"{config}/{name}",
        "description": f"{split['num_rows']} rows of config {config}, split {name}.",
        "key": [{"@id": f"{config}/{name}/{column}"} for column in ("id", "lang", "task", "direction")],
        "field": [_field(f"{config}/{name}", feature, source) for feature in manifest["features"]],
    }


def _field(records: str, feature: Feature, source: dict[str, Any]) -> dict[str, Any]:
    """Return one column as a field; a list of structs as a repeated field with a field a member."""
    name = feature["name"]
    field = {"@type": "cr:Field", "@id": f"{records}/{name}", "name": name, "description": f"The column {name}."}
    if "list" not in feature:
        return field | {"dataType": "sc:Text", "source": {**source, "extract": {"column": name}}}
    members = [
        {
            "@type": "cr:Field",
            "@id": f"{records}/{name}/{member['name']}",
            "name": member["name"],
            "dataType": "sc:Text",
        }
        | {"source": {**source, "extract": {"column": name}, "transform": {"jsonPath": member["name"]}}}
        for member in feature["list"]
    ]
    return field | {"isArray": True, "arrayShape": "-1", "subField": members}
