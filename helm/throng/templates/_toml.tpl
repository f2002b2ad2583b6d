{{/*
The settings of a role as TOML, from typed values: (dict "root" $ "role" "gateway" "values" .Values.gateway).
What the chart knows itself goes over what is written in `config`.
*/}}
{{- define "throng.toml" -}}
{{- $root := .root -}}
{{- $router := include "throng.role" (dict "root" $root "role" "group-router") -}}
{{- $cluster := dict "group_routers" (list (printf "%s:7082" $router)) -}}
{{- range $role := list "history" "directory" "callback" -}}
{{- $_ := set $cluster $role (list (printf "%s:7082" (include "throng.role" (dict "root" $root "role" $role)))) -}}
{{- end -}}
{{- $cql := dict "nodes" $root.Values.cql.nodes "keyspace" $root.Values.cql.keyspace "replication" (int $root.Values.cql.replication) -}}
{{- if not (kindIs "invalid" $root.Values.cql.tablets) -}}
{{- $_ := set $cql "tablets" $root.Values.cql.tablets -}}
{{- end -}}
{{- with $root.Values.cql.localDc -}}
{{- $_ := set $cql "local_dc" . -}}
{{- end -}}
{{- $own := dict
    "listen" "0.0.0.0:7080"
    "admin_listen" "0.0.0.0:7081"
    "data_dir" "/data"
    "cluster" (merge (dict "rpc_listen" "0.0.0.0:7082") $cluster)
    "nats" (dict "servers" $root.Values.nats.servers)
    "cql" $cql
    "group_router" (dict "placement" (dict "voters" (fromJsonArray (include "throng.voters" $root)))) -}}
{{- if eq .role "gateway" -}}
{{- $_ := set $own "gateway" (dict "drain_window" (int $root.Values.gateway.drainWindow)) -}}
{{- end -}}
{{- toToml (mustMergeOverwrite (deepCopy $root.Values.config) (deepCopy (.values.config | default dict)) $own) -}}
{{- end -}}
