import type { Parameter } from "../parameters.ts";
import { NODE_FLAGS, NODE_VERSION } from "./package-json.ts";

/** @param writesFiles `.toParquet` is among the sinks */
export const dockerfile = (
  writesFiles: boolean,
): string => `# docker build -t JOB .    (another base: --build-arg NODE_IMAGE=…)
ARG NODE_IMAGE=node:${NODE_VERSION}-slim
FROM \${NODE_IMAGE}
# ONNXRUNTIME_NODE_INSTALL: where there is an ONNX model, the CPU's runtime is in its package, CUDA's would be downloaded
ENV NODE_ENV=production PORT=8080 MILLRACE_STATE_DIR=/state${writesFiles ? " MILLRACE_FILES_DIR=/files" : ""} ONNXRUNTIME_NODE_INSTALL=skip
WORKDIR /app
COPY package.json postinstall.mjs ./
COPY vendor ./vendor
RUN npm install --omit=dev --no-audit --no-fund && npm cache clean --force \\
  && mkdir /state${writesFiles ? " /files" : ""} && chown node:node /state${writesFiles ? " /files" : ""}
COPY . .
USER node
VOLUME /state${writesFiles ? " /files" : ""}
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \\
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "${NODE_FLAGS}", "main.ts"]
`;

/** What the running job does not read. */
export const DOCKERIGNORE = `node_modules
state
samples
expected
k8s
main.test.ts
Dockerfile
compose.yaml
README.md
.dockerignore
.gitignore
.git
*.log
`;

export const GITIGNORE = `node_modules/
state/
*.log
`;

/** Compose would put a variable in for a `$`. */
const literally = (text: string) => JSON.stringify(text.replaceAll("$", "$$$$"));

/** The job beside a Kafka of its own, for a machine with Docker. */
export function composeYaml(
  name: string,
  topics: readonly string[],
  parameters: readonly Parameter[],
  writesFiles: boolean,
): string {
  const create = topics.map(
    (topic) =>
      `        && /opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka:19092 --create --if-not-exists --topic ${topic} --partitions 4`,
  );
  return `# docker compose up --build    (Kafka for other programs of this machine: localhost:9092)
services:
  kafka:
    image: apache/kafka:4.1.0
    ports:
      - "127.0.0.1:9092:9092"
    environment:
      KAFKA_NODE_ID: 1
      KAFKA_PROCESS_ROLES: broker,controller
      KAFKA_LISTENERS: HOST://:9092,INSIDE://:19092,CONTROLLER://:9093
      KAFKA_ADVERTISED_LISTENERS: HOST://localhost:9092,INSIDE://kafka:19092
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: HOST:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT
      KAFKA_INTER_BROKER_LISTENER_NAME: INSIDE
      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER
      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@localhost:9093
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 1
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: 1
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: 1
      KAFKA_LOG_RETENTION_MS: -1
    healthcheck:
      test: ["CMD-SHELL", "/opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka:19092 --list"]
      interval: 5s
      timeout: 10s
      retries: 12
  topics:
    image: apache/kafka:4.1.0
    depends_on:
      kafka:
        condition: service_healthy
    entrypoint: ["/bin/bash", "-c"]
    command:
      - >-
        true
${create.join("\n")}
  job:
    build: .
    depends_on:
      topics:
        condition: service_completed_successfully
    environment:
      KAFKA_BOOTSTRAP_SERVERS: kafka:19092
      MILLRACE_JOB_NAME: ${name}
${parameters.map(({ variable, default: value }) => `      ${variable}: ${literally(String(value))}\n`).join("")}    ports:
      - "127.0.0.1:8080:8080"
    volumes:
      - state:/state
${writesFiles ? "      - files:/files\n" : ""}    restart: unless-stopped
    stop_grace_period: 60s
volumes:
  state:
${writesFiles ? "  files:\n" : ""}`;
}
