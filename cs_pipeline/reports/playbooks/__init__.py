"""Pages about playbooks, written from their YAML."""
