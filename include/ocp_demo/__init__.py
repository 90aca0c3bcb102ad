"""The demo: sandbox and Airflow on this machine, the three main jobs run through Airflow's REST API."""
