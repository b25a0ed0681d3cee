"""Threads, memory, devices, log and console of this machine."""
