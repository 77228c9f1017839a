#!/bin/sh
# Creates the namespace, or updates its retention. Safe to repeat.
set -eu

if temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
else
    temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi
