"""The fuzzer: four targets with oracles of their own, a saved corpus of seeds, and a driver for some seconds."""
