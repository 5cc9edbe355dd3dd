#!/usr/bin/env bash
# Builds the image of docs/deploy/Containerfile, runs it, and talks to its server. Everything is in namespaces for
# network and mounts, which the caller makes, and in one folder.
#
#   image.sh BUILDAH FOLDER    FOLDER/context has Containerfile, streams and app.wasm
set -euo pipefail
program=$1 folder=$2
export BUILDAH_ISOLATION=chroot TMPDIR=$folder
buildah() {
    "$program" --root "$folder/graph" --runroot "$folder/run" --storage-driver vfs "$@"
}
# Buildah starts itself again without the environment, so an unpacked one finds its libraries by the linker's cache.
if [[ -n ${LD_LIBRARY_PATH-} ]]; then
    IFS=: read -ra libraries <<<"$LD_LIBRARY_PATH"
    ldconfig -C "$folder/ld.so.cache" "${libraries[@]}"
    mount --bind "$folder/ld.so.cache" /etc/ld.so.cache
    unset LD_LIBRARY_PATH
fi
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$folder/policy.json"

# Debian's image without a registry: a shell and the libraries that both programs need, from this machine.
root=$folder/root
mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/usr/local/bin"
cp /etc/passwd /etc/group "$root/etc"
cp /bin/sh "$root/bin/sh"
for library in $(ldd "$folder/context/streams" /bin/sh | grep -o '/[^ ]*\.so[^ ]*' | sort -u); do
    mkdir -p "$root${library%/*}"
    cp --dereference "$library" "$root$library"
done
base=$(buildah from scratch)
buildah copy --quiet "$base" "$root" / >&2
if ! buildah run "$base" -- /bin/sh -c : >&2; then
    echo "left out: containers do not run here"
    exit
fi
buildah commit --quiet --signature-policy "$folder/policy.json" "$base" docker.io/library/debian:trixie-slim >&2

buildah build --quiet --pull=never --signature-policy "$folder/policy.json" --tag served \
    --file "$folder/context/Containerfile" "$folder/context" >&2
container=$(buildah from --pull=never --signature-policy "$folder/policy.json" served)
read -ra entry <<<"$(buildah inspect --format '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}' "$container")"
echo "entry: ${entry[0]} ${entry[1]}"

ip link set lo up
: >"$folder/log"
buildah run "$container" -- "${entry[@]}" >"$folder/log" 2>&1 &
for _ in {1..600}; do
    grep --quiet 'admin on' "$folder/log" && break
    sleep 0.1
done
exec 3<>/dev/tcp/127.0.0.1/8888
echo hello >&3
read -r -t 30 answer <&3
echo "answer: $answer"
exec 4<>/dev/tcp/127.0.0.1/9000
printf 'GET /readyz HTTP/1.0\r\n\r\n' >&4
read -r -t 30 status <&4
echo "ready: ${status%$'\r'}"

# The server is the process of that name in this namespace; the client leaves, so that it finishes at once.
exec 3>&- 4>&-
for process in /proc/[0-9]*; do
    if [[ $(readlink "$process/ns/net") == "$(readlink /proc/self/ns/net)" && $(cat "$process/comm") == streams ]]; then
        echo "user: $(stat --format %U "$process")"
        kill -TERM "${process#/proc/}"
    fi 2>/dev/null
done
wait %1 && echo "ended: 0" || echo "ended: $?"
cat "$folder/log" >&2
