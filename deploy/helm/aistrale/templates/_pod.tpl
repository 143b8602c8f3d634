{{- /* The pod, of the StatefulSet or of the Deployment. */ -}}
{{- define "aistrale.pod" -}}
metadata:
  labels:
    {{- include "aistrale.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "aistrale.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "aistrale.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  # preStop, drain_delay and drain_timeout, and what the ledger may take at the end.
  terminationGracePeriodSeconds: {{ add (mul 2 (int .Values.drain.delay)) (int .Values.drain.timeout) 25 }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  {{- if .Values.topologySpread }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "aistrale.selector" . | nindent 10 }}
  {{- end }}
  containers:
    - name: aistrale
      image: {{ include "aistrale.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve, --config, /etc/aistrale/config.yaml]
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      ports:
        - {name: clients, containerPort: 8080}
        - {name: control, containerPort: 8081}
      env:
        - name: AISTRALE_NODE
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        {{- if .Values.masterKey.secret }}
        - {name: AISTRALE_MASTER_KEY_FILE, value: /run/secrets/master-key}
        {{- end }}
        {{- with .Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      # A store may have to be brought to this release's schema first.
      startupProbe:
        httpGet: {path: /healthz, port: control}
        periodSeconds: 2
        failureThreshold: 150
      livenessProbe:
        httpGet: {path: /healthz, port: control}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: clients}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 1
      # The pod leaves its services' endpoints while it sleeps; then SIGTERM drains it.
      lifecycle:
        preStop:
          sleep: {seconds: {{ int .Values.drain.delay }}}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/aistrale, readOnly: true}
        - {name: {{ ternary "journal" "scratch" (eq .Values.journal.store "file") }}, mountPath: /var/lib/aistrale}
        {{- if or .Values.secrets .Values.masterKey.secret }}
        - {name: secrets, mountPath: /run/secrets, readOnly: true}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "aistrale.fullname" . }}}
    {{- if ne .Values.journal.store "file" }}
    # Uploads on their way and what the database said last; the journal is in the database.
    - name: scratch
      emptyDir: {sizeLimit: 6Gi}
    {{- end }}
    {{- if or .Values.secrets .Values.masterKey.secret }}
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          {{- with .Values.masterKey }}
          {{- if .secret }}
          - secret: {name: {{ .secret }}, items: [{key: {{ .key }}, path: master-key}]}
          {{- end }}
          {{- end }}
          {{- range $name, $from := .Values.secrets }}
          - secret: {name: {{ $from.secret }}, items: [{key: {{ $from.key }}, path: {{ $name }}}]}
          {{- end }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
