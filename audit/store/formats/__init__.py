"""One module a version of result.json. An old one stays for ever, so that old runs open for ever."""
