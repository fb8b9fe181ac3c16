import { type Measured, resourcesFor } from "../measured.ts";
import type { Parameter } from "../parameters.ts";

/** A kustomization: `kubectl apply -k k8s`. One worker by default; more share the partitions through the consumer group. */
export function kubernetesFiles(
  jobName: string,
  parameters: readonly Parameter[],
  measured?: Measured,
  writesFiles = false,
): Map<string, string> {
  const { cpu, memory, memoryLimit, storage } = resourcesFor(measured);
  const name = dnsName(jobName);
  const labels = `app.kubernetes.io/name: ${name}`;
  const files = new Map<string, string>();
  files.set(
    "k8s/kustomization.yaml",
    `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - statefulset.yaml
  - service.yaml
  - disruption-budget.yaml
${writesFiles ? "  - files.yaml\n" : ""}configMapGenerator:
  - name: ${name}-settings
    literals:
      - KAFKA_BOOTSTRAP_SERVERS=kafka:9092
      - MILLRACE_JOB_NAME=${jobName}
      - MILLRACE_GUARANTEE=exactly-once
${parameters.map(({ variable, default: value }) => `      - ${JSON.stringify(`${variable}=${value}`)}\n`).join("")}images:
  - name: ${name}
    newTag: "1.0.0"
`,
  );
  files.set(
    "k8s/statefulset.yaml",
    `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: ${name}
  labels:
    ${labels}
spec:
  serviceName: ${name}
  replicas: 1
  podManagementPolicy: Parallel
  selector:
    matchLabels:
      ${labels}
  template:
    metadata:
      labels:
        ${labels}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "8080"
    spec:
      terminationGracePeriodSeconds: 60
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        fsGroup: 1000
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: job
          image: ${name}
          envFrom:
            - configMapRef:
                name: ${name}-settings
            # KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, MILLRACE_STATE_TOKEN; kubectl create secret generic ${name} --from-literal=…
            - secretRef:
                name: ${name}
                optional: true
          ports:
            - name: http
              containerPort: 8080
          startupProbe:
            httpGet: { path: /health/live, port: http }
            periodSeconds: 2
            failureThreshold: 30
          livenessProbe:
            httpGet: { path: /health/live, port: http }
            periodSeconds: 10
            failureThreshold: 3
          readinessProbe:
            httpGet: { path: /health/ready, port: http }
            periodSeconds: 5
          # ${measured ? `in the notebook: ${measured.recordsPerSecond} records/s came in, ${measured.millisecondsPerRecord} ms each, ${measured.stateRows} rows of state` : "the notebook measured nothing: a guess for a small job"}
          resources:
            requests: { cpu: ${cpu}, memory: ${memory} }
            limits: { memory: ${memoryLimit} }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: state
              mountPath: /state
            - name: tmp
              mountPath: /tmp
${writesFiles ? "            - name: files\n              mountPath: /files\n" : ""}      volumes:
        - name: tmp
          emptyDir: {}
${
  writesFiles
    ? `        - name: files
          persistentVolumeClaim:
            claimName: ${name}-files
`
    : ""
}  volumeClaimTemplates:
    - metadata:
        name: state
      spec:
        accessModes: [ReadWriteOnce]
        resources:
          requests:
            storage: ${storage}
`,
  );
  if (writesFiles)
    files.set(
      "k8s/files.yaml",
      `# the folders of .toParquet: all workers of the job write to this one volume
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: ${name}-files
  labels:
    ${labels}
spec:
  accessModes: [ReadWriteMany]
  resources:
    requests:
      storage: 10Gi
`,
    );
  files.set(
    "k8s/service.yaml",
    `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels:
    ${labels}
spec:
  clusterIP: None
  selector:
    ${labels}
  ports:
    - name: http
      port: 8080
      targetPort: http
`,
  );
  files.set(
    "k8s/disruption-budget.yaml",
    `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: ${name}
  labels:
    ${labels}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      ${labels}
`,
  );
  return files;
}

/** At most 52 characters of a DNS label, so that pod names fit, too. */
const dnsName = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 52)
    .replace(/^-+|-+$/g, "") || "job";
