"""An Airflow and a platform for the samples that are run."""

from dags.conftest import airflow, data_root, sandbox

__all__ = ["airflow", "data_root", "sandbox"]
