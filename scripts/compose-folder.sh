# Read by the scripts that run on the host, with $scripts as the folder that they lie in: goes to the folder of the compose
# file that has a service db-init, or says why there is none and ends the script.

knows_db_init() {
  (cd "$1" && docker compose config --services 2>/dev/null) | grep -qx db-init
}

# the folder that the command is given in, the project's, or that of a compose file which the project lies beside
for folder in "$PWD" "$scripts/.." "$scripts/../.."; do
  if knows_db_init "$folder"; then
    cd "$folder"
    return 0
  fi
done
# a file that cannot be read, because .env lacks a variable say, is not a missing one
for folder in "$PWD" "$scripts/.." "$scripts/../.."; do
  if ! said=$(cd "$folder" && docker compose config --quiet 2>&1); then
    case $said in
      *'no configuration file'*) ;;
      *)
        printf 'docker compose cannot be used in %s:\n%s\n' "$folder" "$said" >&2
        exit 2
        ;;
    esac
  fi
done
echo "No compose file with a service db-init was found here, nor beside $scripts." >&2
echo "Change to its folder, or name it: COMPOSE_FILE=/path/to/docker-compose.yml $0" >&2
exit 2
