"""Faults to seed: each is found and named by ``gatewayctl doctor`` or ``check``; docs/doctor.md lists them all."""
