// The story with the package @kubernetes/client-node. Its folder is in the environment, since modules ignore NODE_PATH.
import { createRequire } from "node:module";

const k8s = createRequire(`${process.env.MODULES}/`)("@kubernetes/client-node");

const [, , kubeconfig, text] = process.argv;
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const { namespace } = config.getContextObject(config.getCurrentContext());
const where = { group: "ngpc.rxt.io", version: "v1", namespace, plural: "cloudspaces" };
const api = config.makeApiClient(k8s.CustomObjectsApi);

console.log((await api.listNamespacedCustomObject(where)).items.length);
const created = await api.createNamespacedCustomObject({ ...where, body: JSON.parse(text) });
const { name, resourceVersion } = created.metadata;
console.log(name);
const merge = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch);
const body = { metadata: { labels: { tier: "web" } } };
console.log((await api.patchNamespacedCustomObject({ ...where, name, body }, merge)).metadata.labels.tier);
const path = `/apis/ngpc.rxt.io/v1/namespaces/${namespace}/cloudspaces`;
const type = await new Promise((resolve, reject) => {
    const started = new k8s.Watch(config).watch(
        path,
        { resourceVersion },
        (type) => started.then((controller) => (controller.abort(), resolve(type))),
        (error) => error && reject(error),
    );
});
console.log(type);
await api.deleteNamespacedCustomObject({ ...where, name });
console.log(Boolean((await api.getNamespacedCustomObject({ ...where, name })).metadata.deletionTimestamp));
