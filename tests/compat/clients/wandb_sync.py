"""W&B's sync of a fine-tuning job, offline: `python wandb_sync.py JOB`. The run is written under WANDB_DIR.

Offline there is no login, which it asks for all the same, and no artifact can be used: so it is told that it is logged
in, and to leave out the files of the job.
"""

from __future__ import annotations

import sys

from wandb.integration.openai.fine_tuning import WandbLogger

WandbLogger._logged_in = True
print(WandbLogger.sync(fine_tune_job_id=sys.argv[1], project="mill", log_datasets=False))
