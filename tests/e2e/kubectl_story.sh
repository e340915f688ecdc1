#!/bin/sh
# Every common kubectl command against one served simulator, each with its expected output.
#
# Needs KUBECONFIG (as `rsspot simulator serve --kubeconfig` writes it), and HOME and the working directory to be
# temporary. Prints the name of each section that passed; stops at the first command that behaves otherwise.
set -eu

POOL=5d1e6f0a-2b7c-5e6f-8a90-7c3d2e1f0a4b
SECOND=9f4c8a1e-6d3b-5a7e-b2c5-1e0d9c8b7a6f

watching=
trap '[ -z "$watching" ] || kill "$watching"' EXIT

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# shows TEXT COMMAND...: the command succeeds, and its output contains TEXT.
shows() {
    text=$1
    shift
    output=$("$@" 2>&1) || fail "failed: $*" "$output"
    case $output in *"$text"*) ;; *) fail "missing in the output of $*: $text" "$output" ;; esac
}

# prints TEXT COMMAND...: the command succeeds and prints exactly TEXT.
prints() {
    text=$1
    shift
    output=$("$@") || fail "failed: $*" "$output"
    [ "$output" = "$text" ] || fail "$* printed:" "$output" "instead of:" "$text"
}

# refused TEXT COMMAND...: the command fails, and its output contains TEXT.
refused() {
    text=$1
    shift
    if output=$("$@" 2>&1); then fail "succeeded: $*" "$output"; fi
    case $output in *"$text"*) ;; *) fail "missing in the output of $*: $text" "$output" ;; esac
}

# eventually COMMAND...: the command succeeds within ten seconds.
eventually() {
    tries=100
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "timed out: $*"
        sleep 0.1
    done
}

passed() {
    printf '%s\n' "$*"
}

cat > space.yaml <<END
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata:
  name: story
  labels: {story: kubectl}
spec:
  region: us-central-ord-1
  kubernetesVersion: 1.31.1
END
sed 's/1\.31\.1/1.32.1/' space.yaml > newer.yaml
sed 's/region:/regoin:/' space.yaml > misspelled.yaml

cat > pool.yaml <<END
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata:
  name: $POOL
  labels: {story: kubectl, tier: web}
spec:
  serverClass: ch.vs1.large-ord
  cloudSpace: story
  desired: 1
  bidPrice: "0.02"
END
sed "s/$POOL/$SECOND/; s/tier: web/tier: data/" pool.yaml > second.yaml
sed 's/desired: 1/desired: 2/' pool.yaml > larger.yaml

cat > key.yaml <<END
apiVersion: ngpc.rxt.io/v1
kind: VMSSHKey
metadata:
  name: story
  labels: {story: kubectl, chapter: first}
spec:
  publicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHtm6uenhaRwH6vl3V69ETCuChlrQHC2GJeyuZNpg3kI ada@example.com
END
sed 's/first/second/' key.yaml > newer-key.yaml


# Discovery.
shows 'cloudspaces          cs           ngpc.rxt.io/v1   true         CloudSpace' kubectl api-resources --api-group=ngpc.rxt.io
shows 'namespaces   ns           v1           false        Namespace' kubectl api-resources --api-group=
shows 'spotnodepools.ngpc.rxt.io' kubectl api-resources --categories=spot -o name
shows 'ngpc.rxt.io/v1' kubectl api-versions
shows 'Server Version: v1.' kubectl version
shows 'A hosted Kubernetes cluster.' kubectl explain cloudspaces
shows 'How many servers were won.' kubectl explain snp.status.wonCount
shows 'bidPrice	<string> -required-' kubectl explain snp --recursive
passed discovery


# Creating objects. The server refuses misspelled fields, and a dry run creates nothing.
refused 'strict decoding error: unknown field "spec.regoin"' kubectl create -f misspelled.yaml
shows 'story created (server dry run)' kubectl create -f space.yaml --dry-run=server
refused '"story" not found' kubectl delete cloudspace story
prints 'cloudspace.ngpc.rxt.io/story created' kubectl create -f space.yaml
refused 'cloudspaces.ngpc.rxt.io "story" already exists' kubectl create -f space.yaml
prints "spotnodepool.ngpc.rxt.io/$POOL created" kubectl create -f pool.yaml
passed create


# Every output format.
shows 'NAME    REGION             VERSION   PHASE' kubectl get cloudspaces -l story=kubectl
shows 'us-central-ord-1' kubectl get cs story -o wide
shows 'bidPrice: "0.02"' kubectl get spotnodepool "$POOL" -o yaml
shows '"serverClass": "ch.vs1.large-ord"' kubectl get snp "$POOL" -o json
prints '1.31.1' kubectl get cs story -o 'jsonpath={.spec.kubernetesVersion}'
prints 'cloudspace.ngpc.rxt.io/story' kubectl get cs -l story=kubectl -o name
prints 'cloudspace.ngpc.rxt.io/story' kubectl get cs --field-selector metadata.name=story -o name
prints "cloudspace.ngpc.rxt.io/story
spotnodepool.ngpc.rxt.io/$POOL" kubectl get spot -l story=kubectl -o name
shows 'NAMESPACE' kubectl get cloudspaces,spotnodepools -A
shows 'region.ngpc.rxt.io/us-central-ord-1' kubectl get regions -o name
passed get


# Describing one object.
shows 'Kubernetes Version:  1.31.1' kubectl describe cloudspace story
shows 'Server Class:  ch.vs1.large-ord' kubectl describe snp "$POOL"
passed describe


# Applying files: new, unchanged and changed ones. Objects made by `create` are adopted with a warning.
shows 'missing the kubectl.kubernetes.io/last-applied-configuration annotation' kubectl apply -f pool.yaml
prints "spotnodepool.ngpc.rxt.io/$SECOND created" kubectl apply -f second.yaml
prints "spotnodepool.ngpc.rxt.io/$SECOND unchanged" kubectl apply -f second.yaml
prints "spotnodepool.ngpc.rxt.io/$POOL configured" kubectl apply -f larger.yaml
prints '2' kubectl get snp "$POOL" -o 'jsonpath={.spec.desired}'
shows 'serverClass: ch.vs1.large-ord' kubectl apply view-last-applied snp "$POOL"
refused 'unknown field "spec.regoin"' kubectl apply -f misspelled.yaml
passed apply


# Server-side apply: the server tracks field owners, and overrides them only with force.
prints 'cloudspace.ngpc.rxt.io/story serverside-applied' kubectl apply --server-side --field-manager=first -f space.yaml
refused '.spec.kubernetesVersion' kubectl apply --server-side --field-manager=second -f newer.yaml
refused 'conflict with "first"' kubectl apply --server-side --field-manager=second -f newer.yaml
prints 'cloudspace.ngpc.rxt.io/story serverside-applied' \
    kubectl apply --server-side --field-manager=second --force-conflicts -f newer.yaml
prints '1.32.1' kubectl get cs story -o 'jsonpath={.spec.kubernetesVersion}'
shows 'manager: second' kubectl get cs story -o yaml --show-managed-fields
passed server-side apply


# A diff exits with 0 if there is none, otherwise with 1. Uses a key, which no controller changes.
shows 'created' kubectl apply -f key.yaml
prints '' kubectl diff -f key.yaml
refused '-    chapter: first' kubectl diff -f newer-key.yaml
refused '+    chapter: second' kubectl diff -f newer-key.yaml
prints 'first' kubectl get vmsshkey story -o 'jsonpath={.metadata.labels.chapter}'
shows 'deleted' kubectl delete -f key.yaml
passed diff


# The two patch types that custom resources support, and the one that they do not.
shows 'patched' kubectl patch snp "$POOL" --type=merge -p '{"spec": {"bidPrice": "0.03"}}'
shows 'patched' kubectl patch snp "$POOL" --type=json -p '[{"op": "replace", "path": "/spec/desired", "value": 3}]'
prints '0.03 3' kubectl get snp "$POOL" -o 'jsonpath={.spec.bidPrice} {.spec.desired}'
refused 'strategic-merge-patch+json is not supported' kubectl patch snp "$POOL" -p '{"spec": {"desired": 4}}'
shows 'patched' kubectl patch snp "$POOL" --type=merge -p '{"spec": {"desired": 9}}' --dry-run=server
refused 'spec.serverClass is immutable' kubectl patch snp "$POOL" --type=merge -p '{"spec": {"serverClass": "x"}}'
prints '3' kubectl get snp "$POOL" -o 'jsonpath={.spec.desired}'
passed patch


# Labels select objects; annotations are overwritten only with --overwrite.
shows 'labeled' kubectl label snp "$POOL" stage=trial
prints "spotnodepool.ngpc.rxt.io/$POOL" kubectl get snp -l 'stage in (trial, live),tier!=data' -o name
shows 'unlabeled' kubectl label snp "$POOL" stage-
prints '' kubectl get snp -l stage -o name
shows 'annotated' kubectl annotate snp "$POOL" note=one
refused '--overwrite is false' kubectl annotate snp "$POOL" note=two
shows 'annotated' kubectl annotate snp "$POOL" note=two --overwrite
prints 'two' kubectl get snp "$POOL" -o 'jsonpath={.metadata.annotations.note}'
passed label and annotate


# The editor is a script.
cat > editor.sh <<'END'
#!/bin/sh
sed -i 's/desired: 3/desired: 4/' "$1"
END
chmod +x editor.sh
prints "spotnodepool.ngpc.rxt.io/$POOL edited" env KUBE_EDITOR="$PWD/editor.sh" kubectl edit snp "$POOL"
prints '4' kubectl get snp "$POOL" -o 'jsonpath={.spec.desired}'
passed edit


# A watch shows changes; a wait ends with them.
: > watched
kubectl get snp "$POOL" --watch -o 'jsonpath={.spec.desired}{"\n"}' >> watched &
watching=$!
eventually grep -qx 4 watched
shows 'patched' kubectl patch snp "$POOL" --type=merge -p '{"spec": {"desired": 5}}'
eventually grep -qx 5 watched
kill "$watching"
watching=
shows 'condition met' kubectl wait cloudspace/story '--for=jsonpath={.status.phase}=Ready' --timeout=30s
refused 'timed out' kubectl wait cloudspace/story '--for=jsonpath={.status.phase}=Never' --timeout=1s
passed watch and wait


# A list in pages is the same as one without.
kubectl get serverclasses -o name --chunk-size=0 > whole
kubectl get serverclasses -o name --chunk-size=40 -v=6 > paged 2> requests
cmp whole paged
grep 'serverclasses?' requests | grep -q 'continue='
passed pages


# An invalid token, another tenant's namespace, and objects of the operators.
sed 's/"token": ".*"/"token": "wrong"/' "$KUBECONFIG" > wrong
refused 'You must be logged in to the server' kubectl --kubeconfig wrong get cloudspaces
refused 'Error from server (Forbidden)' kubectl get cloudspaces -n elsewhere
prints 'yes' kubectl auth can-i create cloudspaces
refused 'no' kubectl auth can-i create cloudspaces -n elsewhere
prints 'namespace/org-sandbox000000001' kubectl get namespaces -o name
refused 'cannot create resource "cloudspaces"' kubectl create -f space.yaml -n elsewhere
refused 'cannot delete resource "regions"' kubectl delete region us-central-ord-1
passed permissions


# Deleting: by name, by label, all of a kind, and a cloudspace with its pools.
shows 'deleted (server dry run)' kubectl delete snp "$POOL" --dry-run=server
shows 'deleted' kubectl delete snp "$POOL" --wait=false
kubectl wait "snp/$POOL" --for=delete --timeout=30s > wait.out
prints "spotnodepool.ngpc.rxt.io/$SECOND" kubectl get snp -l story=kubectl -o name
shows 'deleted' kubectl delete snp -l story=kubectl,tier=data
prints '' kubectl get snp -l story=kubectl -o name
shows 'created' kubectl create -f pool.yaml -f second.yaml
shows 'deleted' kubectl delete snp --all
prints '' kubectl get snp -o name
shows 'created' kubectl create -f pool.yaml
shows 'deleted' kubectl delete -f space.yaml
prints '' kubectl get spot -l story=kubectl -o name
passed delete
