//! What was made once, by a key that says of what.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use crate::collections::HashMap;

/// Keeps values of any kind.
#[derive(Default)]
pub(crate) struct Memo {
    made: RefCell<HashMap<String, Rc<dyn Any>>>,
}

impl Memo {
    /// Gives what was made for `key`, or makes it. A key always stands for values of one type.
    pub(crate) fn once<T: 'static>(&self, key: String, make: impl FnOnce() -> T) -> Rc<T> {
        let kept = self.made.borrow().get(&key).cloned();
        if let Some(made) = kept.and_then(|kept| kept.downcast::<T>().ok()) {
            return made;
        }
        let made = Rc::new(make());
        self.made.borrow_mut().insert(key, Rc::clone(&made) as Rc<dyn Any>);
        made
    }
}
