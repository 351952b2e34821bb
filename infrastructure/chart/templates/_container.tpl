{{/* One probe: `path` becomes the request, everything else is Kubernetes' own. Call with the probe's values. */}}
{{- define "application.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
{{ omit . "path" | toYaml }}
{{- end -}}

{{- define "application.env" -}}
{{- with .Values.environment }}
- name: ENVIRONMENT
  value: {{ . | quote }}
{{- end }}
{{- with .Values.region }}
- name: REGION
  value: {{ . | quote }}
{{- end }}
- name: PORT
  value: {{ .Values.port | quote }}
{{- range $name, $value := .Values.env }}
- name: {{ $name | quote }}
  value: {{ $value | quote }}
{{- end }}
{{- range .Values.secret.keys }}
- name: {{ . | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ required "secret.name is required where secret.keys are given" $.Values.secret.name | quote }}
      key: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "application.container" -}}
name: application
image: {{ include "application.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.command }}
command: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.args }}
args: {{- toYaml . | nindent 2 }}
{{- end }}
env: {{- include "application.env" . | trim | nindent 2 }}
ports:
  - name: http
    containerPort: {{ .Values.port }}
    protocol: TCP
startupProbe: {{- include "application.probe" .Values.probes.startup | nindent 2 }}
readinessProbe: {{- include "application.probe" .Values.probes.readiness | nindent 2 }}
livenessProbe: {{- include "application.probe" .Values.probes.liveness | nindent 2 }}
{{- if gt (int .Values.preStopSeconds) 0 }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ .Values.preStopSeconds }}
{{- end }}
resources: {{- toYaml .Values.resources | nindent 2 }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
{{- if .Values.tmpSize }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- end }}
{{- end -}}
