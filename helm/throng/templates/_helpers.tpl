{{/* Names, labels, and the pod that all roles have in common. */}}

{{- define "throng.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "throng.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "throng.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "throng.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "throng.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{- define "throng.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "throng.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "throng.labels" -}}
app.kubernetes.io/name: {{ include "throng.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{/* Labels of one role's pods: (dict "root" $ "role" "gateway") */}}
{{- define "throng.selector" -}}
app.kubernetes.io/name: {{ include "throng.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{/* Name of one role's objects. */}}
{{- define "throng.role" -}}
{{- printf "%s-%s" (include "throng.fullname" .root) .role -}}
{{- end -}}

{{/* Names of the first voters with their addresses, as TOML. */}}
{{- define "throng.voters" -}}
{{- $role := include "throng.role" (dict "root" . "role" "group-router") -}}
{{- $voters := list -}}
{{- range $i := until (int .Values.groupRouter.voters) -}}
{{- $voters = append $voters (printf "\"%s-%d=%s-%d.%s:7082\"" $role $i $role $i $role) -}}
{{- end -}}
{{- printf "[%s]" (join ", " $voters) -}}
{{- end -}}

{{/* What is wrong with the values, said before anything is installed. */}}
{{- define "throng.check" -}}
{{- $routers := .Values.groupRouter -}}
{{- if not (has (int $routers.voters) (list 1 3 5)) -}}
{{- fail "groupRouter.voters: 3 or 5 (1 for trying things out)" -}}
{{- end -}}
{{- if lt (int $routers.replicas) (int $routers.voters) -}}
{{- fail "groupRouter.replicas: at least groupRouter.voters" -}}
{{- end -}}
{{- if not .Values.secret.existingSecret -}}
{{- fail "secret.existingSecret: name a Secret with the key \"secret\" (64 hexadecimal digits)" -}}
{{- end -}}
{{- if not .Values.nats.servers -}}
{{- fail "nats.servers: at least one, such as nats.nats.svc:4222" -}}
{{- end -}}
{{- if not .Values.cql.nodes -}}
{{- fail "cql.nodes: at least one, such as scylla-client.scylla.svc:9042" -}}
{{- end -}}
{{- range $name := list "gateway" "groupRouter" "history" "presence" "callback" "directory" -}}
{{- $role := index $.Values $name -}}
{{- if le (int $role.terminationGracePeriodSeconds) (int $role.drainSeconds) -}}
{{- fail (printf "%s.terminationGracePeriodSeconds: must be longer than drainSeconds" $name) -}}
{{- end -}}
{{- end -}}
{{- if le (int .Values.gateway.drainSeconds) (int .Values.gateway.drainWindow) -}}
{{- fail "gateway.drainSeconds: must be longer than drainWindow" -}}
{{- end -}}
{{- end -}}

{{/* Variables of every process: (dict "root" $ "values" role's values) */}}
{{- define "throng.env" -}}
{{- $root := .root -}}
- name: THRONG_CONFIG
  value: /etc/throng/throng.toml{{ if .apps }},/etc/throng/apps.toml{{ end }}
- name: THRONG_CLUSTER__NODE
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: POD_IP
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
- name: THRONG_CLUSTER__SECRET
  valueFrom: { secretKeyRef: { name: {{ $root.Values.secret.existingSecret }}, key: secret } }
- name: THRONG_DRAIN_SECONDS
  value: {{ .values.drainSeconds | default 20 | quote }}
{{- with $root.Values.nats.existingSecret }}
- name: THRONG_NATS__USER
  valueFrom: { secretKeyRef: { name: {{ . }}, key: user, optional: true } }
- name: THRONG_NATS__PASSWORD
  valueFrom: { secretKeyRef: { name: {{ . }}, key: password, optional: true } }
- name: THRONG_NATS__TOKEN
  valueFrom: { secretKeyRef: { name: {{ . }}, key: token, optional: true } }
{{- end }}
{{- with $root.Values.cql.existingSecret }}
- name: THRONG_CQL__USER
  valueFrom: { secretKeyRef: { name: {{ . }}, key: user } }
- name: THRONG_CQL__PASSWORD
  valueFrom: { secretKeyRef: { name: {{ . }}, key: password } }
{{- end }}
{{- end -}}

{{/*
The pod template of a role: (dict "root" $ "role" "history" "values" .Values.history "data" false).
*/}}
{{- define "throng.pod" -}}
{{- $root := .root -}}
{{- $values := .values -}}
metadata:
  labels:
    {{- include "throng.selector" (dict "root" $root "role" .role) | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A change of the settings rolls the pods.
    checksum/config: {{ include "throng.toml" (dict "root" $root "role" .role "values" $values) | sha256sum }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "7081"
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "throng.serviceAccountName" $root }}
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext: {{- toYaml $root.Values.podSecurityContext | nindent 4 }}
  containers:
    - name: throng
      image: {{ include "throng.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [{{ .role }}]
      env:
        {{- include "throng.env" (dict "root" $root "values" $values "apps" (and (eq .role "directory") $root.Values.apps.existingSecret)) | nindent 8 }}
        - name: THRONG_CLUSTER__RPC_ADVERTISE
          {{- if .data }}
          value: $(THRONG_CLUSTER__NODE).{{ include "throng.role" (dict "root" $root "role" .role) }}:7082
          {{- else }}
          value: $(POD_IP):7082
          {{- end }}
        {{- with $values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $values.envFrom }}
      envFrom: {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- if eq .role "gateway" }}
        - { name: clients, containerPort: 7080 }
        {{- end }}
        - { name: admin, containerPort: 7081 }
        - { name: rpc, containerPort: 7082 }
      # Ready late is well: it waits for the bus, the database and the others.
      startupProbe: { httpGet: { path: /livez, port: admin }, periodSeconds: 2, failureThreshold: 90 }
      livenessProbe: { httpGet: { path: /livez, port: admin }, periodSeconds: 10, timeoutSeconds: 5 }
      readinessProbe: { httpGet: { path: /readyz, port: admin }, periodSeconds: 2 }
      securityContext: {{- toYaml $root.Values.securityContext | nindent 8 }}
      {{- with $values.resources }}
      resources: {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - { name: config, mountPath: /etc/throng, readOnly: true }
        - { name: data, mountPath: /data }
  volumes:
    - name: config
      projected:
        sources:
          - configMap:
              name: {{ include "throng.role" (dict "root" $root "role" .role) }}
          {{- if and (eq .role "directory") $root.Values.apps.existingSecret }}
          - secret:
              name: {{ $root.Values.apps.existingSecret }}
              items: [{ key: apps.toml, path: apps.toml }]
          {{- end }}
    {{- if not .data }}
    - name: data
      emptyDir: {}
    {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if $values.topologySpreadConstraints }}
    {{- toYaml $values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "throng.selector" (dict "root" $root "role" $.role) | nindent 10 }}
    {{- end }}
    {{- end }}
{{- end -}}
