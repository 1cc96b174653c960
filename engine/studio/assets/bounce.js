(()=>{location.replace(location.href);})();
