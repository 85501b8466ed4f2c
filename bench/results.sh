# shellcheck shell=bash
# Sourced by the benchmarks: programs are timed, and their rounds summed up. Needs $work, a directory.
results=${work:?}/results
: >"$results"

keep_result() { # NAME WALL CPU MB
  echo "$@" | tee -a "$results"
}

clock() { # NAME EXPECTED-CODE COMMAND...: runs it, and keeps wall seconds, user+sys seconds and peak MB
  local name=$1 expected=$2 code=0
  shift 2
  /usr/bin/time -q -f '%e %U %S %M' -o "$work/time" "$@" >"$work/out" 2>&1 || code=$?
  if [ "$code" != "$expected" ]; then
    cat "$work/out" >&2
    echo "$name: exit code $code" >&2
    exit 1
  fi
  # shellcheck disable=SC2046  # words are meant
  keep_result "$name" $(awk '{printf "%.2f %.2f %.0f", $1, $2 + $3, $4 / 1024}' "$work/time")
}

set_times() { # WALL CPU: seconds of the program that was timed last, in place of what the clock said of all of it
  sed -Ei "\$s/ [0-9.]+ [0-9.]+/ $1 $2/" "$results"
  echo "  of these $1 s wall and $2 s CPU count"
}

cpu_per_gigabyte() { # NAME BYTES OF-WHAT: its CPU seconds for each GB of the BYTES that it moved
  awk -v name="$1" -v bytes="$2" '$1 == name { print $3 / (bytes / 1e9) }' "$results" | sort -n | awk -v name="$1" -v what="$3" '
    { value[NR] = $1 }
    END { printf "%-22s %.2f (%.2f-%.2f) CPU seconds per GB of COPY stream (%s)\n", name, (value[int((NR + 1) / 2)] + value[int((NR + 2) / 2)]) / 2, value[1], value[NR], what }'
}

summary() { # NAME:NAME...: medians of all that was kept, and the ratios of these pairs, round by round
  awk -v pairs="$*" '
    function median(values, n,   sorted, i, j, t) {
      for (i = 1; i <= n; ++i) sorted[i] = values[i]
      for (i = 1; i <= n; ++i) for (j = i + 1; j <= n; ++j) if (sorted[j] < sorted[i]) { t = sorted[i]; sorted[i] = sorted[j]; sorted[j] = t }
      low = sorted[1]; high = sorted[n]
      return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
    }
    function of_rounds(name, what,   i, values, m) {
      for (i = 1; i <= count[name]; ++i) values[i] = kept[name, what, i]
      m = median(values, count[name])
      return sprintf("%7.2f (%.2f-%.2f)", m, low, high)
    }
    function ratio(a, b, what,   i, values, m) {
      for (i = 1; i <= count[a]; ++i) { if (kept[a, what, i] * kept[b, what, i] == 0) return "-"; values[i] = kept[a, what, i] / kept[b, what, i] }
      m = median(values, count[a])
      return sprintf("%.2f (%.2f-%.2f)", m, low, high)
    }
    {
      if (!($1 in count)) names[++kinds] = $1
      ++count[$1]
      kept[$1, "wall", count[$1]] = $2 + 0
      kept[$1, "cpu", count[$1]] = $3 + 0
      if ($4 > peak[$1]) peak[$1] = $4
    }
    END {
      print "\nmedian wall s (lowest-highest), client CPU s (lowest-highest), highest peak MB"
      for (k = 1; k <= kinds; ++k) printf "%-26s %s  cpu %s  %d MB\n", names[k], of_rounds(names[k], "wall"), of_rounds(names[k], "cpu"), peak[names[k]]
      print "\nratios, round by round: median (lowest-highest)"
      for (k = split(pairs, list, " "); k > 0; --k) {
        split(list[k], pair, ":")
        if (count[pair[1]] && count[pair[1]] == count[pair[2]])
          lines = sprintf("%s / %s: wall %s, cpu %s\n", pair[1], pair[2], ratio(pair[1], pair[2], "wall"), ratio(pair[1], pair[2], "cpu")) lines
      }
      printf "%s", lines
    }' "$results"
}
