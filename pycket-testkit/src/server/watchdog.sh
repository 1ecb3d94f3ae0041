# Runs one server for a test process, whose orders come over stdin, and outlives that process just long
# enough to end the server: the end of stdin is the end of both.
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

# A signal is on its way for a while; until then single threads go on. Systems without /proc are believed.
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
