"""The command: reads the settings, brings up what is embedded, and starts the roles. Composes all other packages."""
