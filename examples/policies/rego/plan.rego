# The same kind of rules for Conftest and OPA. They read what `rsspot plan … --report json=plan.json` writes.
#
#   conftest test --policy examples/policies/rego plan.json
#   opa eval --fail-defined --data examples/policies/rego --input plan.json 'data.main.deny[_]'
package main

import rego.v1

most_bid := 0.12

# A new object is whole in `body`; of one that is changed, each field is in `diff`.
deny contains message if {
	some change in input.changes
	to_number(change.body.spec.bidPrice) > most_bid
	message := sprintf("%s would bid %s USD an hour", [change.address, change.body.spec.bidPrice])
}

deny contains message if {
	some change in input.changes
	some edit in change.diff
	edit.path == ["spec", "bidPrice"]
	to_number(edit.after) > most_bid
	message := sprintf("%s would bid %s USD an hour", [change.address, edit.after])
}

deny contains message if {
	some change in input.changes
	change.action in {"delete", "replace"}
	input.scope.stack == "production"
	message := sprintf("%s would be gone: %s", [change.address, change.reason])
}

# A plan that the guards of rsspot refuse cannot be applied in any case.
deny contains message if {
	some refusal in input.refusals
	message := sprintf("%s: %s", [refusal.rule, refusal.message])
}

warn contains message if {
	to_number(input.cost.after.perMonth.ceiling) > 400
	message := sprintf("the stack may cost %s USD a month", [input.cost.after.perMonth.ceiling])
}

warn contains message if {
	not input.complete
	message := "not everything could be read"
}
