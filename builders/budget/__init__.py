"""From scores to a mixture and a release of it: the verbs fit, allocate and plan, and `publish --budget`."""
