# Runs one server for a test process. Orders come over stdin. When stdin ends, the test process has ended, and
# this script ends the server and itself.
directory=$1
shift
pid=

end() {
    if [ -n "$pid" ]; then
        kill -9 "$pid"
        wait "$pid"
    fi
    pid=
}

# A signal takes a while to arrive; until then some threads still run. Without /proc this cannot be checked.
is_stopped() {
    for thread in /proc/"$pid"/task/*/stat; do
        [ -e "$thread" ] || continue
        read -r state <"$thread" || continue
        case ${state##*) } in
        [TXZ]*) ;;
        *) return 1 ;;
        esac
    done
}

while read -r order; do
    case $order in
    start)
        "$@" </dev/null >>"$directory/log" 2>&1 &
        pid=$!
        ;;
    kill) end ;;
    pause)
        kill -STOP "$pid"
        until is_stopped; do :; done
        ;;
    resume) kill -CONT "$pid" ;;
    esac
    echo "$pid"
done

end
rm -rf "$directory"
