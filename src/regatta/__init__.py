"""Regatta: a self-hosted crypto trading platform. One engine, many bots."""

__version__ = "0.1.0"
