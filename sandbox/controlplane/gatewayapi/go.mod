// Pinned source of Gateway API's standard CRDs; only the files of config/crd/standard are used.
module tidegate/gatewayapi

go 1.26.0

require sigs.k8s.io/gateway-api v1.6.1
