"""Which alerts are one problem? Group rules, the topology of services, and the groups an alert may join."""
