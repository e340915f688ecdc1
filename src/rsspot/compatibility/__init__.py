"""The names of the rsspot 0.3 package, for programs written for it. Most lead to one of ours.

Only here are requests to any path (`request_json`), `org=` on a call, specs as objects, marks of registrations,
`state.db` by keys, and config files as objects that can be changed.
"""
