{{- define "application.name" -}}
{{- .Values.application | default .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "application.fullname" -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "application.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "application.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "application.image" -}}
{{- $repository := required "image.repository is required: host/path, without a tag" .Values.image.repository -}}
{{- $digest := required "image.digest is required: sha256:<64 hex digits>" .Values.image.digest -}}
{{- printf "%s@%s" $repository $digest -}}
{{- end -}}

{{/* What never changes in the life of a release, because a Deployment's selector cannot. */}}
{{- define "application.selector" -}}
app.kubernetes.io/name: {{ include "application.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- with .Values.slot }}
tidegate.dev/slot: {{ . }}
{{- end }}
{{- end -}}

{{- define "application.labels" -}}
{{ include "application.selector" . }}
{{- with .Values.version }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}
