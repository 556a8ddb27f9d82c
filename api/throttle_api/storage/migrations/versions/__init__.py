"""The revisions, in order. One that was released is never changed: what is to change becomes the next one."""
