# Installs one of the distribution's packages for tests that are skipped without it. Read by the scripts that each install
# one; it is not run by itself. Always ends with 0: without the package its tests are skipped, unless CI=true.

# What there is none of · what for · the package · the variable that prevents this · the tests that are skipped
install_package() {
    what=$1 purpose=$2 package=$3 variable=$4 tests=$5
    eval "prevented=\${$variable:-}"
    if [ -n "$prevented" ]; then skipped "$variable is set"; fi
    command -v apt-get > /dev/null || skipped "there is no apt-get to install it with"
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif command -v sudo > /dev/null; then
        echo "$purpose: trying to install it with 'sudo -n apt-get' ($variable=1"
        echo "prevents this)"
        sudo -n true 2> /dev/null || skipped "sudo asks for a password"
        as_root="sudo -n"
    else
        skipped "installing it takes root (apt-get install $package)"
    fi
    echo "installing $package with apt-get"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # Ignore a failed update: one unreachable source does not prevent the installation from another.
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::http::Timeout=30 update > "$log" 2>&1 || true
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=120 \
        install --yes --no-install-recommends "$package" >> "$log" 2>&1 || {
        tail -n 5 "$log" >&2
        skipped "apt-get could not install it"
    }
}

skipped() {
    echo "no $what: $1; $tests will be skipped"
    exit 0
}
