export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Each asks the program itself, so that it never lags behind its commands, and knows the names in the vault. */
export const completionScripts: Readonly<Record<Shell, string>> = {
  // As old a bash as that of macOS (3.2) takes it.
  bash: `_authconn() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  [[ $cur == '=' ]] && cur=''
  while IFS= read -r line; do
    if [[ $line == ':files' ]]; then
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
      return
    fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(authconn __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o nosort -F _authconn authconn 2>/dev/null || complete -F _authconn authconn`,

  zsh: `#compdef authconn
_authconn() {
  local line
  local -a described
  for line in "\${(@f)$(authconn __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ':files' ]]; then
      _files
      return
    fi
    [[ -n $line ]] || continue
    if [[ $line == *$'\\t'* ]]; then
      described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    else
      described+=("\${line//:/\\\\:}")
    fi
  done
  [[ $PREFIX == --*=* ]] && compset -P '*='
  _describe authconn described
}
if [[ \${funcstack[1]} == _authconn ]]; then
  _authconn "$@"
else
  compdef _authconn authconn
fi`,

  fish: `function __authconn_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (authconn __complete -- $words[2..-1] 2>/dev/null)
    if test "$line" = ':files'
      __fish_complete_path (commandline -ct)
      return
    end
    if string match -q -- '--*=*' (commandline -ct)
      echo (string replace -r -- '=.*' '=' (commandline -ct))$line
    else
      echo $line
    end
  end
end
complete -c authconn -f -a '(__authconn_complete)'`,
}
