#!/bin/sh
# A day with kubectl: every command that people use, against one served simulator, each with what it has to say.
#
# Needs KUBECONFIG (as `rsspot simulator serve --kubeconfig` writes it), and HOME and the working directory to be
# scratch. Prints the name of each section that held; stops at the first command that did anything else.
set -eu

POOL=5d1e6f0a-2b7c-5e6f-8a90-7c3d2e1f0a4b
SECOND=9f4c8a1e-6d3b-5a7e-b2c5-1e0d9c8b7a6f

watching=
trap '[ -z "$watching" ] || kill "$watching"' EXIT

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# told TEXT COMMAND...: the command ends well, and TEXT is among what it prints.
told() {
    text=$1
    shift
    said=$("$@" 2>&1) || fail "ended badly: $*" "$said"
    case $said in *"$text"*) ;; *) fail "not said by $*: $text" "$said" ;; esac
}

# prints TEXT COMMAND...: the command ends well and prints TEXT, and nothing else.
prints() {
    text=$1
    shift
    said=$("$@") || fail "ended badly: $*" "$said"
    [ "$said" = "$text" ] || fail "$* printed:" "$said" "instead of:" "$text"
}

# refused TEXT COMMAND...: the command ends badly, and TEXT is among what it prints.
refused() {
    text=$1
    shift
    if said=$("$@" 2>&1); then fail "ended well: $*" "$said"; fi
    case $said in *"$text"*) ;; *) fail "not said by $*: $text" "$said" ;; esac
}

# eventually COMMAND...: within ten seconds the command ends well.
eventually() {
    tries=100
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "never came: $*"
        sleep 0.1
    done
}

held() {
    printf '%s\n' "$*"
}

cat > space.yaml <<END
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata:
  name: story
  labels: {story: told}
spec:
  region: us-central-ord-1
  kubernetesVersion: 1.31.1
END
sed 's/1\.31\.1/1.32.1/' space.yaml > newer.yaml
sed 's/region:/regoin:/' space.yaml > misspelt.yaml

cat > pool.yaml <<END
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata:
  name: $POOL
  labels: {story: told, tier: web}
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
  labels: {story: told, chapter: first}
spec:
  publicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHtm6uenhaRwH6vl3V69ETCuChlrQHC2GJeyuZNpg3kI ada@example.com
END
sed 's/first/second/' key.yaml > newer-key.yaml


# What is there to talk about?
told 'cloudspaces          cs           ngpc.rxt.io/v1   true         CloudSpace' kubectl api-resources
told 'spotnodepools.ngpc.rxt.io' kubectl api-resources --categories=spot -o name
told 'ngpc.rxt.io/v1' kubectl api-versions
told 'Server Version: v1.' kubectl version
told 'A hosted Kubernetes cluster.' kubectl explain cloudspaces
told 'How many servers were won.' kubectl explain snp.status.wonCount
told 'bidPrice	<string> -required-' kubectl explain snp --recursive
held discovery


# Making objects. What is misspelt is refused by the server, and a rehearsal makes nothing.
refused 'strict decoding error: unknown field "spec.regoin"' kubectl create -f misspelt.yaml
told 'story created (server dry run)' kubectl create -f space.yaml --dry-run=server
refused '"story" not found' kubectl delete cloudspace story
prints 'cloudspace.ngpc.rxt.io/story created' kubectl create -f space.yaml
refused 'cloudspaces.ngpc.rxt.io "story" already exists' kubectl create -f space.yaml
prints "spotnodepool.ngpc.rxt.io/$POOL created" kubectl create -f pool.yaml
held create


# Looking at them, in every shape.
told 'NAME    REGION             VERSION   PHASE' kubectl get cloudspaces -l story=told
told 'us-central-ord-1' kubectl get cs story -o wide
told 'bidPrice: "0.02"' kubectl get spotnodepool "$POOL" -o yaml
told '"serverClass": "ch.vs1.large-ord"' kubectl get snp "$POOL" -o json
prints '1.31.1' kubectl get cs story -o 'jsonpath={.spec.kubernetesVersion}'
prints 'cloudspace.ngpc.rxt.io/story' kubectl get cs -l story=told -o name
prints 'cloudspace.ngpc.rxt.io/story' kubectl get cs --field-selector metadata.name=story -o name
prints "cloudspace.ngpc.rxt.io/story
spotnodepool.ngpc.rxt.io/$POOL" kubectl get spot -l story=told -o name
told 'NAMESPACE' kubectl get cloudspaces,spotnodepools -A
told 'region.ngpc.rxt.io/us-central-ord-1' kubectl get regions -o name
held get


# Reading about one.
told 'Kubernetes Version:  1.31.1' kubectl describe cloudspace story
told 'Server Class:  ch.vs1.large-ord' kubectl describe snp "$POOL"
held describe


# Files are applied: new, as they were, changed. What was created otherwise is taken over, with a warning.
told 'missing the kubectl.kubernetes.io/last-applied-configuration annotation' kubectl apply -f pool.yaml
prints "spotnodepool.ngpc.rxt.io/$SECOND created" kubectl apply -f second.yaml
prints "spotnodepool.ngpc.rxt.io/$SECOND unchanged" kubectl apply -f second.yaml
prints "spotnodepool.ngpc.rxt.io/$POOL configured" kubectl apply -f larger.yaml
prints '2' kubectl get snp "$POOL" -o 'jsonpath={.spec.desired}'
told 'serverClass: ch.vs1.large-ord' kubectl apply view-last-applied snp "$POOL"
refused 'unknown field "spec.regoin"' kubectl apply -f misspelt.yaml
held apply


# The server merges: it knows who owns which field, and yields to force only.
prints 'cloudspace.ngpc.rxt.io/story serverside-applied' kubectl apply --server-side --field-manager=first -f space.yaml
refused '.spec.kubernetesVersion' kubectl apply --server-side --field-manager=second -f newer.yaml
refused 'conflict with "first"' kubectl apply --server-side --field-manager=second -f newer.yaml
prints 'cloudspace.ngpc.rxt.io/story serverside-applied' \
    kubectl apply --server-side --field-manager=second --force-conflicts -f newer.yaml
prints '1.32.1' kubectl get cs story -o 'jsonpath={.spec.kubernetesVersion}'
told 'manager: second' kubectl get cs story -o yaml --show-managed-fields
held apply on the server


# A diff ends with 0 where there is none, and with 1 where there is. It is of a key, which nobody else writes to.
told 'created' kubectl apply -f key.yaml
prints '' kubectl diff -f key.yaml
refused '-    chapter: first' kubectl diff -f newer-key.yaml
refused '+    chapter: second' kubectl diff -f newer-key.yaml
prints 'first' kubectl get vmsshkey story -o 'jsonpath={.metadata.labels.chapter}'
told 'deleted' kubectl delete -f key.yaml
held diff


# Patches of both kinds that custom resources take, and of the one that they do not.
told 'patched' kubectl patch snp "$POOL" --type=merge -p '{"spec": {"bidPrice": "0.03"}}'
told 'patched' kubectl patch snp "$POOL" --type=json -p '[{"op": "replace", "path": "/spec/desired", "value": 3}]'
prints '0.03 3' kubectl get snp "$POOL" -o 'jsonpath={.spec.bidPrice} {.spec.desired}'
refused 'strategic-merge-patch+json is not supported' kubectl patch snp "$POOL" -p '{"spec": {"desired": 4}}'
told 'patched' kubectl patch snp "$POOL" --type=merge -p '{"spec": {"desired": 9}}' --dry-run=server
refused 'spec.serverClass is immutable' kubectl patch snp "$POOL" --type=merge -p '{"spec": {"serverClass": "x"}}'
prints '3' kubectl get snp "$POOL" -o 'jsonpath={.spec.desired}'
held patch


# Labels find objects; annotations are not overwritten by mistake.
told 'labeled' kubectl label snp "$POOL" stage=trial
prints "spotnodepool.ngpc.rxt.io/$POOL" kubectl get snp -l 'stage in (trial, live),tier!=data' -o name
told 'unlabeled' kubectl label snp "$POOL" stage-
prints '' kubectl get snp -l stage -o name
told 'annotated' kubectl annotate snp "$POOL" note=one
refused '--overwrite is false' kubectl annotate snp "$POOL" note=two
told 'annotated' kubectl annotate snp "$POOL" note=two --overwrite
prints 'two' kubectl get snp "$POOL" -o 'jsonpath={.metadata.annotations.note}'
held label and annotate


# An editor, which is a script here.
cat > editor.sh <<'END'
#!/bin/sh
sed -i 's/desired: 3/desired: 4/' "$1"
END
chmod +x editor.sh
prints "spotnodepool.ngpc.rxt.io/$POOL edited" env KUBE_EDITOR="$PWD/editor.sh" kubectl edit snp "$POOL"
prints '4' kubectl get snp "$POOL" -o 'jsonpath={.spec.desired}'
held edit


# A watch sees what happens meanwhile; a wait ends with it.
: > seen
kubectl get snp "$POOL" --watch -o 'jsonpath={.spec.desired}{"\n"}' >> seen &
watching=$!
eventually grep -qx 4 seen
told 'patched' kubectl patch snp "$POOL" --type=merge -p '{"spec": {"desired": 5}}'
eventually grep -qx 5 seen
kill "$watching"
watching=
told 'condition met' kubectl wait cloudspace/story '--for=jsonpath={.status.phase}=Ready' --timeout=30s
refused 'timed out' kubectl wait cloudspace/story '--for=jsonpath={.status.phase}=Never' --timeout=1s
held watch and wait


# Long lists come in pages, and are the same.
kubectl get serverclasses -o name --chunk-size=0 > whole
kubectl get serverclasses -o name --chunk-size=40 -v=6 > paged 2> requests
cmp whole paged
grep 'serverclasses?' requests | grep -q 'continue='
held pages


# Somebody without a token; somebody else's namespace; what is the operators'.
sed 's|//[^@]*@|//spot:wrong@|' "$KUBECONFIG" > wrong
refused 'You must be logged in to the server' kubectl --kubeconfig wrong get cloudspaces
refused 'Error from server (Forbidden)' kubectl get cloudspaces -n elsewhere
refused 'cannot create resource "cloudspaces"' kubectl create -f space.yaml -n elsewhere
refused 'cannot delete resource "regions"' kubectl delete region us-central-ord-1
held what is not allowed


# Taking it all down: by name, by label, all of a kind, and a cloudspace with what is in it.
told 'deleted (server dry run)' kubectl delete snp "$POOL" --dry-run=server
told 'deleted' kubectl delete snp "$POOL" --wait=false
kubectl wait "snp/$POOL" --for=delete --timeout=30s > wait.out
prints "spotnodepool.ngpc.rxt.io/$SECOND" kubectl get snp -l story=told -o name
told 'deleted' kubectl delete snp -l story=told,tier=data
prints '' kubectl get snp -l story=told -o name
told 'created' kubectl create -f pool.yaml -f second.yaml
told 'deleted' kubectl delete snp --all
prints '' kubectl get snp -o name
told 'created' kubectl create -f pool.yaml
told 'deleted' kubectl delete -f space.yaml
prints '' kubectl get spot -l story=told -o name
held delete
