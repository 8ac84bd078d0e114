//! A program in Python as far as it says what it connects to: the modules that belong together, read once and gone
//! through statement by statement, never executed.
//!
//! Source: the language reference ("Simple statements", "Compound statements", "The import system").

pub(crate) mod assignments;
pub(crate) mod block;
pub(crate) mod branches;
pub(crate) mod calls;
pub(crate) mod connections;
pub(crate) mod definitions;
pub(crate) mod imports;
pub(crate) mod interpreter;
pub(crate) mod modules;
pub(crate) mod run;
pub(crate) mod scope;
pub(crate) mod settings;
pub(crate) mod variables;

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use crate::environment::ecosystems::python::program::interpreter::go_through;
    use crate::environment::ecosystems::python::program::modules::{Program, Sources};
    use crate::environment::ecosystems::python::program::run::Outcome;
    use crate::environment::ecosystems::python::program::settings::{
        MOST_ROUNDS, Round, of_any, of_django, of_environment, rounds,
    };

    use crate::environment::readers::code::Computed;

    type Files<'f> = &'f [(&'f str, &'f str)];

    /// Lists what the program at `/p/s.py` says in all its rounds, each once.
    fn said(files: Files<'_>, environment: &[(&str, &str)], is_django: bool) -> Vec<String> {
        let parse = |_: &Path, text: &str| Some(vec![(vec!["a".to_owned(), "b".to_owned()], text.to_owned(), 1)]);
        let program =
            Program::new(vec!["/p".into()], vec!["manage.py".to_owned(), "test".to_owned()], parse, Sources::default());
        let read = |path: &Path| {
            let name = path.strip_prefix("/p").ok()?.to_str()?;
            files.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
        };
        let lookup =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut all = Vec::new();
        let entries = [PathBuf::from("/p/s.py")];
        let first = go_through(&program, &entries, &read, &lookup, 0);
        for number in 0..rounds(&first).min(MOST_ROUNDS) {
            let outcome = go_through(&program, &entries, &read, &lookup, number);
            let round = Round { program: &program, outcome: &outcome, number, shown: &Path::to_owned };
            let mut settings = if is_django { of_django(round, true) } else { of_any(round) };
            settings.extend(of_environment(round, true));
            settings.extend(of_environment(round, false));
            for one in settings {
                let mark = if one.unresolved.is_some() { "?" } else { "" };
                let said = format!("{}{mark}={}", one.name, one.value);
                if !all.contains(&said) {
                    all.push(said);
                }
            }
        }
        all
    }

    #[test]
    fn what_is_assigned_last_counts_and_what_may_be_counts_too() {
        let table: &[(&str, &[&str])] = &[
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES['default'].update({'HOST': 'b'})",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES['default'].update(HOST='b')",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES.update(default=dict(HOST='b'))",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES = {'default': {'HOST': 'b'}}",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nfor x in DATABASES:\n  DATABASES[x]['HOST'] = 'b'",
                &["DATABASES.default.HOST=b"],
            ),
            ("PG = {'HOST': 'a'}\nDATABASES = {'default': PG}", &["DATABASES.default.HOST=a"]),
            (
                "PG = {'HOST': 'a'}\nDATABASES = {'default': {**PG, 'NAME': 'n'}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.NAME=n"],
            ),
            (
                "H = 'a'\nDATABASES = dict(default=dict(HOST=H + '.x', NAME=f'{H}_t'))",
                &["DATABASES.default.HOST=a.x", "DATABASES.default.NAME=a_t"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nif os.environ.get('X'):\n  DATABASES = {'default': {'HOST': 'b'}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "if f():\n  H = 'a'\nelif g():\n  H = 'b'\nelse:\n  H = 'c'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b", "DATABASES.default.HOST=c"],
            ),
            (
                "DEBUG = True\nif DEBUG:\n  H = 'a'\nelse:\n  H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=a"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nif 'DYNO' in os.environ:\n  DATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nif os.getenv('GAE_APPLICATION'):\n  DATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default.HOST=a"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nif 'test' in sys.argv:\n  DATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': secret('h'), 'PASSWORD': secret('p')}}",
                &["DATABASES.default.HOST?=secret('h')", "DATABASES.default.PASSWORD?=secret('p')"],
            ),
            ("DATABASES = get()", &["DATABASES.default?=get()"]),
            ("def get():\n  return {'default': {'HOST': 'a'}}\nDATABASES = get()", &["DATABASES.default.HOST=a"]),
            (
                "DATABASES = {'default': env.db('U', default='postgres://h/d')}\nDATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default=postgres://h/d", "DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'NAME': BASE_DIR / 'a.sqlite3', 'HOST': None}}",
                &["DATABASES.default.NAME=a.sqlite3"],
            ),
            ("from local import *", &["DATABASES.default.HOST=l"]),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\ntry:\n  from .local import *\nexcept ImportError:\n  pass",
                &["DATABASES.default.HOST=l"],
            ),
            (
                "try:\n  from missing import *\nexcept ImportError:\n  DATABASES = {'default': {'HOST': 'b'}}",
                &["DATABASES.default.HOST=b"],
            ),
            ("from pkg import base as b\nDATABASES = {'default': {'HOST': b.H}}", &["DATABASES.default.HOST=p"]),
            ("import pkg.base\nDATABASES = {'default': {'HOST': pkg.base.H}}", &["DATABASES.default.HOST=p"]),
            (
                "import importlib\nm = importlib.import_module(os.getenv('M', 'local'))\nDATABASES = m.DATABASES",
                &["DATABASES.default.HOST=l"],
            ),
            ("exec(open('local.py').read())", &["DATABASES.default.HOST=l"]),
            ("globals().update(dict(DATABASES={'default': {'HOST': 'b'}}))", &["DATABASES.default.HOST=b"]),
            (
                "os.environ['U'] = 'x'\nos.environ.setdefault('V', 'y')\nDATABASES = {'default': {'HOST': os.environ['U'], 'NAME': os.getenv('V')}}",
                &["DATABASES.default.HOST=x", "DATABASES.default.NAME=y", "U=x", "V=y"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a', 'OPTIONS': {'x': lambda: 1}, 'NAME': 'n'}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.NAME=n"],
            ),
            (
                "class A:\n  @property\n  def DATABASES(self):\n    return {'default': {'HOST': 'a'}}\nclass B(A):\n  DATABASES = {'default': {'HOST': 'b'}}\nB.load(__name__)",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "class A:\n  DATABASES = {'default': {'HOST': 'a'}}\nclass B(A):\n  DATABASES = {'default': {'HOST': 'b'}}\nclass Prod(A):\n  DATABASES = {'default': {'HOST': 'p'}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "os.environ.setdefault('DJANGO_CONFIGURATION', 'Prod')\nclass A:\n  DATABASES = {'default': {'HOST': 'a'}}\nclass Prod(A):\n  DATABASES = {'default': {'HOST': 'p', 'TEST': {'NAME': 't'}}}",
                &[
                    "DATABASES.default.HOST=p",
                    "DATABASES.default_test.HOST=p",
                    "DATABASES.default_test.NAME=t",
                    "DJANGO_CONFIGURATION=Prod",
                ],
            ),
            ("os.environ['A'] = 'a'\nos.environ['A'] = 'b'", &["A=b"]),
            ("os.environ.setdefault('A', 'a')\nos.environ.setdefault('A', 'b')", &["A=a"]),
            (
                "os.environ['A'] = 'a'\nif f():\n  os.environ['A'] = 'b'\nelse:\n  os.environ['A'] = 'c'",
                &["A=b", "A=c"],
            ),
            ("if f():\n  os.environ['A'] = 'b'\nHOST = os.environ.get('A', 'n')", &["A=b"]),
            ("if f():\n  os.environ.setdefault('A', 'b')\nos.environ.setdefault('A', 'c')", &["A=c", "A=b"]),
            ("os.environ['A'] = 'a'\ndef environ():\n  os.environ['A'] = 'b'", &["A=a", "A=b"]),
            (
                "try:\n  import missing\n  os.environ['A'] = 'a'\nexcept ImportError:\n  os.environ['A'] = 'b'",
                &["A=a", "A=b"],
            ),
            ("os.environ['A'] = secret()\nos.environ['DB_HOST'] = secret()", &["DB_HOST?=secret()"]),
            (
                "class A:\n  @property\n  def DATABASES(self):\n    return {'default': {'HOST': 'a'}}\nA.load(__name__)",
                &["DATABASES.default.HOST=a"],
            ),
            (
                "D = {'HOST': 'a'}\ndef f():\n  D['HOST'] = 'b'\n  return D\nDATABASES = {'default': f()}",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "try:\n  H = os.environ['X']\nexcept KeyError:\n  H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "try:\n  H = os.environ['X']\nexcept KeyError:\n  H = 'b'\nelse:\n  H = 'c'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "os.environ['X'] = 'x'\ntry:\n  H = os.environ['X']\nexcept KeyError:\n  H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=x", "X=x"],
            ),
            (
                "try:\n  H = secret()\nexcept Exception:\n  H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST?=H", "DATABASES.default.HOST=b"],
            ),
            (
                "try:\n  H = 'a'\nexcept KeyError:\n  H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=a"],
            ),
            (
                "try:\n  try:\n    H = os.environ['X']\n  except ImportError:\n    H = 'a'\nexcept KeyError:\n  H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "try:\n  if f():\n    H = os.environ['X']\n  else:\n    H = 'a'\nexcept KeyError:\n  H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "try:\n  from local import *\n  f()\nexcept ImportError:\n  DATABASES = {'default': {'HOST': 'b'}}",
                &["DATABASES.default.HOST=l"],
            ),
            (
                "def f():\n  try:\n    return os.environ['X']\n  except KeyError:\n    return 'b'\nDATABASES = {'default': {'HOST': f()}}",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "def f():\n  if g():\n    return 'a'\n  return 'b'\nDATABASES = {'default': {'HOST': f()}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "def f():\n  if True:\n    return 'a'\n  return 'b'\nDATABASES = {'default': {'HOST': f()}}",
                &["DATABASES.default.HOST=a"],
            ),
            (
                "def f():\n  for x in [1, 2]:\n    return 'a'\n  return 'b'\nDATABASES = {'default': {'HOST': f()}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "match os.getenv('X'):\n  case 'a':\n    H = 'a'\n  case _:\n    H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "match f():\n  case 'a':\n    H = 'a'\n  case 'b' | 'c':\n    H = 'b'\n  case _:\n    H = 'c'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b", "DATABASES.default.HOST=c"],
            ),
            (
                "match 'x':\n  case 'a' | 'x':\n    H = 'a'\n  case _:\n    H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=a"],
            ),
            (
                "match 'x':\n  case 'x' if False:\n    H = 'a'\n  case y:\n    H = y\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=x"],
            ),
            (
                "match f():\n  case [a, b]:\n    H = 'a'\n  case _:\n    H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "environ['U'] = 'x'\nH = environ['U']\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=x", "U=x"],
            ),
            ("os.environ |= {'U': 'x'}", &["U=x"]),
            (
                "os.environ['U'] = 'x'\ndel os.environ['U']\nH = os.getenv('U', 'y')\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=y"],
            ),
            (
                "os.environ['U'] = 'x'\nif f():\n  del os.environ['U']\nH = os.getenv('U', 'y')\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=x", "U=x", "DATABASES.default.HOST=y"],
            ),
            ("os.environ['U'] = 'x'\nA = os.environ.pop('U', None)\nos.environ.setdefault('U', 'z')", &["U=z"]),
            (
                "class A:\n  DATABASES = {'default': {'HOST': 'a'}}\nclass Prod(A):\n  DATABASES = {'default': {'HOST': 'p'}}\nProd.load(__name__)\nlogging.getLogger(__name__)",
                &["DATABASES.default.HOST=p"],
            ),
            (
                "os.environ['DJANGO_CONFIGURATION'] = pick()\nclass A:\n  DATABASES = {'default': {'HOST': 'a'}}\nclass Prod(A):\n  DATABASES = {'default': {'HOST': 'p'}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=p"],
            ),
            (
                "class A:\n  DATABASES = {'default': {'HOST': 'a'}}\nclass B(A):\n  DATABASES = {'default': {'HOST': 'b'}}\nclass C(A):\n  DATABASES = {'default': {'HOST': 'c'}}\nif f():\n  A.load(__name__)\nelse:\n  B.load(__name__)",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "os.environ['DJANGO_CONFIGURATION'] = 'Other'\nclass A:\n  DATABASES = {'default': {'HOST': 'a'}}",
                &["DATABASES.default.HOST=a", "DJANGO_CONFIGURATION=Other", "DATABASES.default?="],
            ),
            ("BROKER_URL = 'redis://h/0'\nAPI_URL = 'https://x'", &["code.BROKER_URL=redis://h/0"]),
        ];
        for (text, expected) in table {
            let files = [
                ("s.py", *text),
                ("local.py", "DATABASES = {'default': {'HOST': 'l'}}"),
                ("pkg/__init__.py", ""),
                ("pkg/base.py", "H = 'p'"),
            ];
            assert_eq!(said(&files, &[], true), *expected, "{text}");
        }
    }

    #[test]
    fn any_program_tells_what_it_dials() {
        let table: &[(&str, &[&str])] = &[
            (
                "import sqlalchemy\nE = sqlalchemy.create_engine('postgresql://h/d')",
                &["code.E=postgresql://h/d", "create_engine.url=postgresql://h/d"],
            ),
            ("conn = psycopg2.connect(host='h', dbname=NAME)", &["connect.host=h"]),
            (
                "def create_app():\n  app = Flask()\n  app.config['SQLALCHEMY_DATABASE_URI'] = 'postgresql://h/d'",
                &["create_app.app.config.SQLALCHEMY_DATABASE_URI=postgresql://h/d"],
            ),
            ("class Config:\n  DB_HOST = 'h'\nclass ProductionConfig(Config):\n  DB_HOST = 'p'", &["Config.DB_HOST=h"]),
            (
                "class Settings(BaseSettings):\n  db_host: str = 'h'\n  db_name: str\n  set: str = 'x'\n  @property\n  def url(self):\n    return f'postgres://{self.db_host}'",
                &["DB_HOST=h"],
            ),
            ("class Settings(BaseSettings):\n  database_set: str = 'x'", &[]),
            (
                "ini = configparser.ConfigParser()\nini.read(os.path.join(HERE, 'x.ini'))\nURL = ini['a']['b']\nSAME = ini.get('a', 'b')",
                &["ini.a.b=redis://ini/1", "code.URL=redis://ini/1", "code.SAME=redis://ini/1"],
            ),
            (
                "with open('x.json') as f:\n  C = json.load(f)\nURL = C['a']['b']",
                &["C.a.b=redis://ini/1", "code.URL=redis://ini/1"],
            ),
            ("URL = 'redis://localhost:0/'", &["code.URL=redis://localhost:0/"]),
        ];
        for (text, expected) in table {
            let files = [("s.py", *text), ("x.ini", "redis://ini/1"), ("x.json", "redis://ini/1")];
            let found = said(&files, &[("DATABASE_SET", "value")], false);
            assert_eq!(found, *expected, "{text}");
        }
    }

    fn outcome(files: Files<'_>, entry: &str) -> (Program, Outcome) {
        let program = Program::new(vec!["/p".into()], Vec::new(), |_, _| None, Sources::default());
        let read = |path: &Path| {
            let name = path.strip_prefix("/p").ok()?.to_str()?;
            files.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
        };
        let outcome = go_through(&program, &[Path::new("/p").join(entry)], &read, &|_| None, 0);
        (program, outcome)
    }

    #[test]
    fn what_functions_import_elsewhere_is_not_followed_and_stays_unknown() {
        let files = [
            ("conf/s.py", "from other.x import get, run\nDATABASES = get()"),
            ("other/x.py", "from other.z import run\nD = 'd'\ndef get():\n  from other.y import D\n  return D"),
            ("other/y.py", "D = {'default': {'HOST': 'a'}}"),
            ("other/z.py", "def run():\n  import other.y\n"),
        ];
        let (program, outcome) = outcome(&files, "conf/s.py");
        let databases = outcome.names.iter().find(|entry| entry.key == "DATABASES").unwrap();
        assert_eq!(databases.value, Computed::Unknown);
        let read: Vec<_> = program.paths();
        assert!(!read.contains(&PathBuf::from("/p/other/y.py")), "{read:?}");
    }

    #[test]
    fn members_of_a_large_class_are_taken_without_the_rest_of_it() {
        let members: String = (0..300).map(|at| format!("  M{at} = 'm{at}'\n")).collect();
        let uses: String = (0..300).map(|at| format!("  Kind.M{at}: 'x',\n")).collect();
        let text = format!("class Kind(Base):\n{members}TABLE = {{\n{uses}}}\nHOST = Kind.M7\nNONE = Kind.M300");
        let (_, outcome) = outcome(&[("s.py", &text)], "s.py");
        let value = |name: &str| outcome.names.iter().find(|entry| entry.key == name).map(|entry| entry.value.clone());
        assert_eq!(value("HOST"), Some(Computed::Text("m7".to_owned())));
        assert_eq!(value("NONE"), Some(Computed::Unknown));
        assert!(!outcome.is_cut);
    }

    #[test]
    fn an_entry_that_is_cut_takes_nothing_from_the_next() {
        let deep: String = (0..60).map(|depth| format!("{}if True:\n", " ".repeat(depth))).collect();
        let files = [("a.py", format!("{deep}{}HOST = b()", " ".repeat(60))), ("b.py", "HOST = 'h'".to_owned())];
        let program = Program::new(vec!["/p".into()], Vec::new(), |_, _| None, Sources::default());
        let read = |path: &Path| files.iter().find(|(name, _)| path.ends_with(name)).map(|(_, text)| text.clone());
        let entries = [PathBuf::from("/p/a.py"), PathBuf::from("/p/b.py")];
        for _ in 0..20 {
            let outcome = go_through(&program, &entries, &read, &|_| None, 0);
            assert_eq!(outcome.cut.map(|(path, _)| path), Some(PathBuf::from("/p/a.py")));
            assert!(outcome.is_cut);
            assert_eq!(outcome.names.first().map(|entry| entry.key.as_str()), Some("HOST"));
        }
    }

    #[test]
    fn rounds_that_pick_the_same_on_their_way_are_one() {
        let table: &[(&str, &[bool])] = &[
            ("A = 'a'\nif f():\n  A = 'b'", &[true, true, true]),
            ("A = 'a'\nif f():\n  A = 'b'\nB = A", &[true, false, true]),
            ("A = 'a' if os.getenv('X') else 'b'", &[true, false, true]),
        ];
        for (text, expected) in table {
            let (_, outcome) = outcome(&[("s.py", text)], "s.py");
            let found: Vec<bool> = (0..3).map(|round| outcome.is_of(round)).collect();
            assert_eq!(found, *expected, "{text}");
        }
    }

    #[test]
    fn hostile_programs_end() {
        let pieces = [
            "from s import *\n",
            "if x:\n ",
            "class A(A):\n ",
            "def f(a=f()):\n ",
            "a = a + a\n",
            "a['b'] = a\n",
            "try:\n ",
            "é",
            "a = {",
            "a = b = ",
        ];
        for piece in pieces {
            said(&[("s.py", &piece.repeat(3_000))], &[], true);
        }
        let nested: String = (0..300).map(|depth| format!("{}if x{depth}:\n", " ".repeat(depth))).collect();
        said(&[("s.py", &nested)], &[], true);
        let doubling = format!("a = {{'x': 1}}\n{}", "a = {'l': a, 'r': a}\n".repeat(60));
        said(&[("s.py", &doubling)], &[], true);
    }
}
