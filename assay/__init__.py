"""The methods of governed fine-tuning: plain functions over plain values, no orchestration.

Each module is one noun and one page of the manual. They stand in wings that do not know one another
(``data``, ``privacy``, ``model``, ``evaluation``, ``reporting``); all may use what is shared:
``spec``, ``records``, ``evaluations``, ``artifacts`` and ``errors``. Nothing here imports Prefect or
MLflow, reads a clock to decide something, or looks at the environment.
"""
