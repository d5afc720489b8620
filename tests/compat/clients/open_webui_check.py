"""What Open WebUI's check of a connection asks: `python open_webui_check.py URL KEY`. Prints the status and the JSON.

It stands in for Open WebUI, which brings torch and some 260 packages. Its backend asks with aiohttp for the list of
models, with the key and the content type of a body that is not there, and takes what comes with status 200 for JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp


async def main(url: str, key: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    timeout = aiohttp.ClientTimeout(total=10)
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
        session.get(f"{url}/models", headers=headers) as response,
    ):
        print(json.dumps([response.status, await response.json()]))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
