"""Phone numbers on the Omilia Cloud Platform, managed from Apache Airflow."""
