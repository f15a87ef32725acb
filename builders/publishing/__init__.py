"""What the registry stands on: releases at rest, in a folder or on the Hub; their versions and verbs."""
