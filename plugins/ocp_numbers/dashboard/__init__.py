"""The dashboard: pages inside the Airflow UI that show the inventory, what was bought, and what waits for a decision.

Read-only. It shows what lies in the data root, and asks OCP nothing.
"""
