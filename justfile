# Short names for scripts/ (https://just.systems). Every recipe is one command that also works without just.

# List the recipes
default:
    @just --list

# Install the tools that the tests need
tools:
    scripts/install-tools

# Run all checks and tests, or only the named sections (see `just sections`)
test *SECTIONS:
    scripts/test {{ SECTIONS }}

# List the sections of scripts/test
sections:
    scripts/test --list

# Compare openapi.yaml with the code, lint it, and compare it with the last release
contract: (test "contract")

# Run the mutation proof of the contract tools
mutation:
    scripts/mutation-test

# Regenerate docs/drift.md
drift-doc:
    scripts/drift-doc --update

# Fuzz the server: `just fuzz sqlite`, `just fuzz postgres`
fuzz DATABASE *OPTIONS:
    scripts/fuzz {{ DATABASE }} {{ OPTIONS }}

# Generate a client: `just sdk typescript`
sdk *ARGUMENTS:
    scripts/sdk {{ ARGUMENTS }}

# Test the generated clients
clients:
    scripts/sdk-test

# Test access tokens of a real issuer
issuer:
    scripts/issuer-test

# Test Swagger UI in a browser (scripts/browser-test --screenshots also renews those in docs)
browser:
    scripts/browser-test

# Check alerts, dashboard, Dockerfile, workflows and licences
check-deploy:
    scripts/check-deploy

# Run a temporary PostgreSQL cluster until interrupted; prints its URL
postgres *OPTIONS:
    scripts/throwaway-postgres {{ OPTIONS }}

# Measure the release build against its peers, and write docs/performance.md: `just load --quick`
load *OPTIONS:
    benches/load/run {{ OPTIONS }}
