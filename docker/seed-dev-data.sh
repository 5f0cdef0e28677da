#!/bin/sh
# This is db-init's script, not the application's of the same name. The recovery document uses this name. It calls
# db-init-seed.sh.
echo "This is db-init's seed-dev-data.sh: it runs db-init-seed.sh, which is \`db-init seed\`." >&2
exec "$(dirname -- "$0")/../scripts/db-init-seed.sh" "$@"
