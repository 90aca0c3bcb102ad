"""The distributed deployment on one machine, without containers: PostgreSQL, Redis, Celery workers, on loopback."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that holds docker-compose.yaml and .env.example."""
