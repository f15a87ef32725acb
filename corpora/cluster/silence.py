"""What a run says when nothing has ended for a while: how many calls wait, what one needs, and what is free."""

from corpora.cluster.protocol import Cluster, Resources

SILENCE_S = 60.0  # without a report, after which the run says what it waits for


def silence_text(what: str, num_pending: int, needed: Resources, cluster: Cluster) -> str:
    """Return why no call may have ended for a while.

    Args:
        what: What a call does, such as `task`.
        num_pending: How many calls have not ended.
        needed: What a call needs.
        cluster: The cluster, which says what is free.
    """
    free, nodes = cluster.free(), cluster.nodes()
    has_room = free["CPU"] >= needed.cores and free["GPU"] >= needed.gpus and free["memory"] >= (needed.memory or 0)
    why = (
        "one is running for longer than that, or its node has been lost"
        if has_room
        else f"the free resources are less than a {what} needs"
    )
    gpus = f"{free['GPU']:g} GPUs, " if needed.gpus else ""
    return (
        f"No {what} has ended for {SILENCE_S:.0f} seconds; {num_pending:,} are waiting or running: {why}. "
        f"A {what} needs {needed}; free on {len(nodes)} nodes are {free['CPU']:g} cores, {gpus}"
        f"and {free['memory'] / 1e9:.1f} GB."
    )
