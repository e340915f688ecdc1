"""Who we are: tokens, and how a request gets one."""
