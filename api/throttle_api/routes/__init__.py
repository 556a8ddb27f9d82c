"""The addresses of the service: one module for each kind of thing, and one line of :data:`ROUTERS`."""

from throttle_api.routes import calendars, compare, datasets, health, imports, jobs, plan, results, webhook, week

ROUTERS = (
    jobs.router,
    results.router,
    imports.router,
    datasets.router,
    compare.router,
    week.router,
    plan.router,
    calendars.router,
    webhook.router,
    health.router,
)
"""In the order of the description."""
