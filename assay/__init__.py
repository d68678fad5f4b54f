"""The methods of governed fine-tuning: plain functions over plain values, no orchestration.

Each module is one noun and one page of the manual. Only ``spec``, ``records``, ``artifacts`` and
``errors`` are shared; the others do not know one another. Nothing here imports Prefect or MLflow,
reads a clock to decide something, or looks at the environment.
"""
