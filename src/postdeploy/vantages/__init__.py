"""L5: runs from several vantages, by workers of dask.distributed, and the verdict that follows from them."""
