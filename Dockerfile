# Airflow's official image with this project in it: pinned requirements, the package, the DAGs and what they include.
ARG AIRFLOW_IMAGE=apache/airflow:3.3.2-python3.12
FROM ${AIRFLOW_IMAGE}

# Requirements first: they change less often than the code, so a rebuild takes seconds.
COPY --chown=airflow:0 requirements.txt requirements-cluster.txt /opt/ocp-numbers/
RUN pip install --no-cache-dir --require-hashes \
    -r /opt/ocp-numbers/requirements.txt -r /opt/ocp-numbers/requirements-cluster.txt

COPY --chown=airflow:0 pyproject.toml README.md /opt/ocp-numbers/
COPY --chown=airflow:0 plugins /opt/ocp-numbers/plugins
RUN pip install --no-cache-dir --no-deps --no-build-isolation /opt/ocp-numbers

COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 include /opt/airflow/include
# Places have to belong to airflow before volumes are mounted over them.
RUN cd /opt/airflow && mkdir -p data certificates state && chmod g+rwX data certificates state
