"""Whether a change of the contract may land: what it does to every producer and consumer.

``sources.read`` reads a version from a folder, a file, git, a wheel or a descriptor set; ``verdict.judge``
compares versions, ``registry.judge_registry`` compares with the subjects of a registry, and
``check.check_change`` does all of it for what a user names. ``dry_run`` says what registering would do. Only
``registry`` and ``dry_run`` need a network.
"""
