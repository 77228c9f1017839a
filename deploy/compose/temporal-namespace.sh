#!/bin/sh
# Makes the namespace, or gives it the retention that is asked for. May be repeated.
set -eu

if temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
else
    temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi
